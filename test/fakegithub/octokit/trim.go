package octokit

import (
	"encoding/json"
	"fmt"
	"strings"
)

type object = map[string]any

// trimTo returns a function that reduces an OpenAPI document to the given
// operations and the components that these refer to, directly or not.
func trimTo(ops []string) func([]byte) ([]byte, error) {
	return func(src []byte) ([]byte, error) {
		var doc object
		if err := json.Unmarshal(src, &doc); err != nil {
			return nil, fmt.Errorf("read OpenAPI: %w", err)
		}
		if err := correct(doc); err != nil {
			return nil, err
		}
		paths, err := keepOperations(doc, ops)
		if err != nil {
			return nil, err
		}
		t := trimmer{doc: doc, components: object{}}
		if err := t.follow(paths); err != nil {
			return nil, err
		}
		out, err := json.Marshal(object{
			"openapi":    doc["openapi"],
			"info":       doc["info"],
			"servers":    doc["servers"],
			"paths":      paths,
			"components": t.components,
		})
		if err != nil {
			return nil, fmt.Errorf("write OpenAPI: %w", err)
		}
		return out, nil
	}
}

func keepOperations(doc object, ops []string) (object, error) {
	all, _ := doc["paths"].(object)
	kept := object{}
	for _, op := range ops {
		method, path, _ := strings.Cut(op, " ")
		item, _ := all[path].(object)
		operation, ok := item[strings.ToLower(method)].(object)
		if !ok {
			return nil, fmt.Errorf("trim OpenAPI: GitHub has no operation %q", op)
		}
		// The examples are large, and nothing validates against them.
		dropExamples(operation, false)
		delete(operation, "x-github")
		to, ok := kept[path].(object)
		if !ok {
			to = object{}
			if params, ok := item["parameters"]; ok {
				to["parameters"] = params
			}
			kept[path] = to
		}
		to[strings.ToLower(method)] = operation
	}
	return kept, nil
}

// dropExamples removes example values; names says that the keys of node are
// names of properties, so that a property called "example" stays.
func dropExamples(node any, names bool) {
	switch n := node.(type) {
	case object:
		for key, value := range n {
			if !names && (key == "example" || key == "examples") {
				delete(n, key)
				continue
			}
			dropExamples(value, !names && key == "properties")
		}
	case []any:
		for _, value := range n {
			dropExamples(value, false)
		}
	}
}

// trimmer copies the components that a document's parts refer to.
type trimmer struct {
	doc        object
	components object // kind (schemas, parameters, …) → name → component
}

func (t *trimmer) follow(node any) error {
	switch n := node.(type) {
	case object:
		if ref, ok := n["$ref"].(string); ok {
			return t.take(ref)
		}
		for _, value := range n {
			if err := t.follow(value); err != nil {
				return err
			}
		}
	case []any:
		for _, value := range n {
			if err := t.follow(value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *trimmer) take(ref string) error {
	kind, name, ok := strings.Cut(strings.TrimPrefix(ref, "#/components/"), "/")
	if !ok {
		return fmt.Errorf("trim OpenAPI: reference %q is not to a component", ref)
	}
	all, _ := t.doc["components"].(object)
	of, _ := all[kind].(object)
	component, ok := of[name]
	if !ok {
		return fmt.Errorf("trim OpenAPI: reference %q leads nowhere", ref)
	}
	kept, ok := t.components[kind].(object)
	if !ok {
		kept = object{}
		t.components[kind] = kept
	}
	if _, ok := kept[name]; ok {
		return nil
	}
	kept[name] = component
	dropExamples(component, false)
	return t.follow(component)
}
