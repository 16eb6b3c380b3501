package octokit

import "fmt"

// correct repairs the places where GitHub's description contradicts GitHub
// itself, or its own text. Each names what is wrong; a place that is no longer
// there is an error, so that a newer description is looked at again.
func correct(doc object) error {
	// An installation's account is a user or an enterprise (anyOf, as in the
	// schema "installation"); the copy in this list says both at once.
	items, err := at(
		doc, "paths", "/app/installations", "get", "responses", "200", "content", "application/json", "schema", "items",
		"properties",
	)
	if err != nil {
		return err
	}
	account, err := at(items, "account")
	if err != nil {
		return err
	}
	account["anyOf"] = account["allOf"]
	delete(account, "allOf")

	// "You can also pass an array of labels directly", says the text of the
	// property; the schema allows only the object.
	labels, err := at(
		doc, "paths", "/repos/{owner}/{repo}/issues/{issue_number}/labels", "post", "requestBody", "content",
		"application/json", "schema",
	)
	if err != nil {
		return err
	}
	forms, _ := labels["oneOf"].([]any)
	names := object{"type": "array", "minItems": 1, "items": object{"type": "string"}}
	labels["oneOf"] = append(forms, names)
	return nil
}

// at walks down an object by keys.
func at(node object, keys ...string) (object, error) {
	for _, key := range keys {
		next, ok := node[key].(object)
		if !ok {
			return nil, fmt.Errorf("correct OpenAPI: no %q any more", key)
		}
		node = next
	}
	return node, nil
}
