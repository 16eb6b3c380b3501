package schema

// JSON is the JSON Schema of an object, without its head.
func JSON(o Object) map[string]any { return describeObject(o) }

func describeObject(o Object) map[string]any {
	f := declare(o)
	props, required := map[string]any{}, []string{}
	for _, x := range f.fields {
		p := x.typ.json()
		if x.doc != "" {
			p = withDoc(p, x.doc)
		}
		props[x.name] = p
		if x.required {
			required = append(required, x.name)
		}
	}
	out := map[string]any{"type": "object", "properties": props, "additionalProperties": false}
	switch {
	case f.keys != nil:
		out["additionalProperties"] = f.keys.value.json()
	case f.mode != nil && *f.mode == Lenient:
		out["additionalProperties"] = true
	}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

func withDoc(p map[string]any, doc string) map[string]any {
	out := map[string]any{"description": doc}
	for k, v := range p {
		out[k] = v
	}
	return out
}
