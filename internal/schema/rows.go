package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Row is a key of an object, for its reference.
type Row struct {
	Key      string
	Required bool
	Expected string
	Default  string
	Doc      string
}

// Rows are an object's keys, in the order of their declaration.
func Rows(o Object) []Row {
	f := declare(o)
	var rows []Row
	for _, x := range f.fields {
		r := Row{Key: x.name, Required: x.required, Expected: x.typ.expected, Doc: x.doc}
		if d, ok := x.typ.json()["default"]; ok {
			r.Default = fmt.Sprint(d)
		}
		rows = append(rows, r)
		rows = append(rows, nested(x.name, x.typ.json())...)
	}
	return rows
}

// nested are the keys of what a key holds: of an object, of each in a list, of each in a mapping.
func nested(prefix string, s map[string]any) []Row {
	if items, ok := s["items"].(map[string]any); ok {
		return nested(prefix+"[]", items)
	}
	if free, ok := s["additionalProperties"].(map[string]any); ok && s["properties"] == nil {
		return nested(prefix+".NAME", free)
	}
	var rows []Row
	seen := map[string]bool{}
	if forms, ok := s["anyOf"].([]map[string]any); ok {
		for _, form := range forms {
			for _, r := range nested(prefix, form) {
				if !seen[r.Key] {
					seen[r.Key] = true
					rows = append(rows, r)
				}
			}
		}
		return rows
	}
	props, _ := s["properties"].(map[string]any)
	required, _ := s["required"].([]string)
	for _, k := range slices.Sorted(maps.Keys(props)) {
		p := props[k].(map[string]any)
		doc, _ := p["description"].(string)
		r := Row{Key: prefix + "." + k, Required: slices.Contains(required, k), Expected: kindOf(p), Doc: doc}
		if d, ok := p["default"]; ok {
			r.Default = fmt.Sprint(d)
		}
		rows = append(rows, r)
		rows = append(rows, nested(r.Key, p)...)
	}
	if free, ok := s["additionalProperties"].(map[string]any); ok {
		rows = append(rows, nested(prefix+".NAME", free)...)
	}
	return rows
}

// kindOf says in words what a schema takes.
func kindOf(p map[string]any) string {
	if names, ok := p["enum"].([]string); ok {
		return "one of " + fmt.Sprint(names)
	}
	if forms, ok := p["anyOf"].([]map[string]any); ok {
		var kinds []string
		for _, f := range forms {
			if k := kindOf(f); !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
		}
		return strings.Join(kinds, ", or ")
	}
	switch p["type"] {
	case "object":
		return "a mapping"
	case "array":
		return "a list"
	case "string":
		return "a string"
	case "integer":
		return "an integer"
	case "number":
		return "a number"
	case "boolean":
		return "true or false"
	case "null":
		return "null"
	}
	if types, ok := p["type"].([]string); ok {
		return map[bool]string{true: "an integer", false: "a scalar"}[types[0] == "integer"]
	}
	return "anything"
}
