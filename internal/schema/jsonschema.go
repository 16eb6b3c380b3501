package schema

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// JSON is the JSON Schema of an object, without its head.
func JSON(o Object) map[string]any { return describeObject(o) }

// Document is the whole JSON Schema of a file that is one of some objects. What occurs twice is written once, under
// $defs.
func Document(id, title string, forms ...Object) ([]byte, error) {
	all := make([]map[string]any, len(forms))
	for i, o := range forms {
		all[i] = describeObject(o)
	}
	root := map[string]any{"anyOf": all}
	if len(all) == 1 {
		root = all[0]
	}
	b, err := json.Marshal(root) // one set of types: map[string]any and []any
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", title, err)
	}
	var tree map[string]any
	if err := json.Unmarshal(b, &tree); err != nil {
		return nil, fmt.Errorf("describe %s: %w", title, err)
	}
	s := sharing{count: map[string]int{}, defs: map[string]any{}}
	s.tally(tree)
	out := map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": id, "title": title}
	for k, v := range tree {
		out[k] = s.share(v)
	}
	if len(s.defs) > 0 {
		out["$defs"] = s.defs
	}
	b, err = json.MarshalIndent(out, "", " ")
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", title, err)
	}
	return append(b, '\n'), nil
}

// minShared is the size of a part from which sharing it makes the file shorter.
const minShared = 120

// sharing finds equal parts of a schema.
type sharing struct {
	count map[string]int
	defs  map[string]any
}

func sum(v any) (string, int) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", 0 // not of a tree that came from JSON
	}
	return fmt.Sprintf("%x", sha256.Sum256(b))[:12], len(b)
}

// isSchema says that a mapping is a schema, not the properties of one.
func isSchema(m map[string]any) bool {
	for _, k := range []string{"type", "anyOf", "enum"} {
		if _, ok := m[k].(map[string]any); !ok && m[k] != nil {
			return true
		}
	}
	return false
}

func (s *sharing) tally(v any) {
	switch v := v.(type) {
	case map[string]any:
		if isSchema(v) {
			id, _ := sum(v)
			if s.count[id]++; s.count[id] > 1 {
				return // its parts are shared with it
			}
		}
		for _, x := range v {
			s.tally(x)
		}
	case []any:
		for _, x := range v {
			s.tally(x)
		}
	}
}

func (s *sharing) share(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		id, size := sum(v)
		shared := isSchema(v) && size >= minShared && s.count[id] > 1
		if _, done := s.defs[id]; shared && done {
			return map[string]any{"$ref": "#/$defs/" + id}
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out[k] = s.share(v[k])
		}
		if shared {
			s.defs[id] = out
			return map[string]any{"$ref": "#/$defs/" + id}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = s.share(x)
		}
		return out
	}
	return v
}

func describeObject(o Object) map[string]any {
	f := declare(o)
	props, required := map[string]any{}, []string{}
	for _, x := range f.fields {
		props[x.name] = withDoc(x.typ.json(), x.doc)
		if x.required {
			required = append(required, x.name)
		}
	}
	out := map[string]any{"type": "object", "properties": props, "additionalProperties": false}
	switch {
	case f.keys != nil:
		describeRest(out, f.keys.key.json(), f.keys.value.json())
	case f.spelled, f.mode != nil && *f.mode == Lenient:
		out["additionalProperties"] = true
	}
	if len(required) > 0 {
		out["required"] = required
	}
	var never []map[string]any
	for _, x := range f.exclusive {
		for i, a := range x {
			for _, b := range x[i+1:] {
				never = append(never, map[string]any{"not": map[string]any{"required": []string{a, b}}})
			}
		}
	}
	if never != nil {
		out["allOf"] = never
	}
	return out
}

// describeRest adds free keys to an object's description.
func describeRest(out, key, value map[string]any) {
	if pattern, ok := key["pattern"].(string); ok {
		out["patternProperties"] = map[string]any{pattern: value}
		out["additionalProperties"] = false
		return
	}
	if names, ok := key["enum"].([]string); ok {
		out["patternProperties"] = map[string]any{"^(" + strings.Join(names, "|") + ")$": value}
		out["additionalProperties"] = false
		return
	}
	out["additionalProperties"] = value
}

func withDoc(p map[string]any, doc string) map[string]any {
	if doc == "" {
		return p
	}
	out := maps.Clone(p)
	out["description"] = doc
	return out
}

// withDefault describes a kind, with what the pointer holds when the declaration is described.
func withDefault[T comparable](kind string, v *T) func() map[string]any {
	return func() map[string]any {
		m := map[string]any{"type": kind}
		if *v != *new(T) {
			m["default"] = *v
		}
		return m
	}
}

// fixed describes what needs no pointer.
func fixed(pairs ...any) func() map[string]any {
	return func() map[string]any {
		m := make(map[string]any, len(pairs)/2)
		for i := 0; i+1 < len(pairs); i += 2 {
			m[pairs[i].(string)] = pairs[i+1]
		}
		return m
	}
}
