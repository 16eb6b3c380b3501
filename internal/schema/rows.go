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
	if forms, ok := s["anyOf"].([]map[string]any); ok {
		for i, form := range forms {
			if more := nested(prefix, form); i == 0 {
				rows = more
			} else {
				rows = combine(rows, more)
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
	if like, ok := s["patternProperties"].(map[string]any); ok {
		for pattern, p := range like {
			p := p.(map[string]any)
			names := strings.ReplaceAll(strings.Trim(pattern, "^$()"), "|", ", ")
			rows = append(rows, Row{Key: prefix + ".NAME", Expected: kindOf(p), Doc: "NAME is like " + names + "."})
			rows = append(rows, nested(prefix+".NAME", p)...)
		}
	}
	return rows
}

// combine adds the rows of another form: a key that both have takes what either takes, and is required when both
// require it.
func combine(rows, more []Row) []Row {
	in := func(list []Row, key string) int {
		return slices.IndexFunc(list, func(r Row) bool { return r.Key == key })
	}
	for i := range rows {
		rows[i].Required = rows[i].Required && in(more, rows[i].Key) >= 0
	}
	for _, r := range more {
		i := in(rows, r.Key)
		if i < 0 {
			r.Required = false
			rows = append(rows, r)
			continue
		}
		rows[i].Required = rows[i].Required && r.Required
		had, has := rows[i].Expected, r.Expected
		const oneOf = "one of "
		switch {
		case strings.Contains(had, strings.TrimPrefix(has, oneOf)):
		case strings.HasPrefix(had, oneOf) && strings.HasPrefix(has, oneOf):
			rows[i].Expected += ", " + strings.TrimPrefix(has, oneOf)
		default:
			rows[i].Expected += ", or " + has
		}
	}
	return rows
}

// kindOf says in words what a schema takes.
func kindOf(p map[string]any) string {
	if names, ok := p["enum"].([]string); ok {
		return "one of " + strings.Join(names, ", ")
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
