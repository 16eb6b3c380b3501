package schema

import (
	"slices"
	"strings"
)

// Either is the first of the types that fits. If none does, the issues are those of the type that fits furthest down.
func Either(expected string, types ...Type) Type {
	return Type{
		read: func(d *decoder, n *Node, at *path) []issue {
			var best []issue
			for _, t := range types {
				bad := t.read(d, n, at)
				if len(bad) == 0 {
					return nil
				}
				deeper := best == nil || bad[0].at.len() > best[0].at.len()
				if deeper || bad[0].specific && bad[0].at.len() == best[0].at.len() && !best[0].specific {
					best = bad
				}
			}
			if best[0].at.len() == at.len() && !best[0].specific {
				return mismatch(n, at, expected)
			}
			return best
		},
		json: func() map[string]any {
			all := make([]map[string]any, len(types))
			for i, t := range types {
				all[i] = t.json()
			}
			return map[string]any{"anyOf": all}
		},
		expected: expected,
	}
}

// EitherBy is Either for mappings whose key says which of the types is meant. LAVA's validator ignores that
// key, so the first issue is at the place of its first one; those of the meant type follow.
func EitherBy(key string, names []string, types ...Type) Type {
	t := Either("a mapping with "+key, types...)
	read := t.read
	t.read = func(d *decoder, n *Node, at *path) []issue {
		bad := read(d, n, at)
		v := n.Get(key)
		if len(bad) == 0 || v == nil {
			return bad
		}
		i := slices.Index(names, v.Text)
		if i < 0 {
			return misnamed(bad, v, at, key, names)
		}
		meant := types[i].read(d, n, at)
		lead := bad[0]
		for j, m := range meant {
			if m.at.String() == lead.at.String() {
				return append([]issue{m}, append(meant[:j:j], meant[j+1:]...)...)
			}
		}
		first := meant[0].problem()
		lead.message = "with " + key + ": " + v.Text + ", this is wrong: " + first.Message
		lead.found, lead.expected, lead.like = first.Found, first.Expected, first.Suggestion
		lead.names, lead.unknown = nil, nil
		return append([]issue{lead}, meant...)
	}
	return t
}

// misnamed is the issues of a key that names none of the types.
func misnamed(bad []issue, v *Node, at *path, key string, names []string) []issue {
	own := []issue{{at: at.child(key), node: v, expected: "one of " + strings.Join(names, ", "), names: names}}
	if bad[0].at.String() == own[0].at.String() {
		return own
	}
	return append(bad[:1:1], own...)
}

// OneKeyOf is an object that has exactly one of the names, all declared as optional. When it is wrong, the first issue
// is at the place of the validator of LAVA, which reads such objects as alternatives: the first name with the rest.
func OneKeyOf(o Object, names ...string) Type {
	expected := "a mapping with one of " + strings.Join(names, ", ")
	return Type{
		read: func(d *decoder, n *Node, at *path) []issue {
			if n.Kind != Map {
				return mismatch(n, at, expected)
			}
			bad, have := d.object(n, at, o), 0
			for _, name := range names {
				if n.Get(name) != nil {
					have++
				}
			}
			if len(bad) == 0 && (have == 1 || have > 1 && d.mode == Lenient) {
				return nil
			}
			return d.leading(n, at, bad, names)
		},
		json: func() map[string]any {
			m := describeObject(o)
			one := make([]map[string]any, len(names))
			for i, name := range names {
				one[i] = map[string]any{"required": []string{name}}
			}
			m["oneOf"] = one
			return m
		},
		expected: expected,
	}
}

// leading moves the issue to the front that the alternative with names[0] finds first.
func (d *decoder) leading(n *Node, at *path, bad []issue, names []string) []issue {
	for _, e := range n.Entries {
		for i := range bad {
			if bad[i].at.len() == at.len()+1 && bad[i].at.key == e.Key.Text {
				return append([]issue{bad[i]}, append(bad[:i:i], bad[i+1:]...)...)
			}
		}
		if d.mode == Strict && e.Key.Text != names[0] && slices.Contains(names, e.Key.Text) {
			return append([]issue{{
				at: at.entry(e.Key), node: e.Key,
				message: "exactly one of " + strings.Join(names, ", ") + " is wanted, and nothing else",
				found:   describeKeys(n), expected: "a mapping with one of " + strings.Join(names, ", "),
			}}, bad...)
		}
	}
	return append([]issue{{
		at: at.child(names[0]), node: n, message: "none of the keys " + strings.Join(names, ", ") + " is there",
		found: describeKeys(n), expected: "one of the keys " + strings.Join(names, ", "),
	}}, bad...)
}

func describeKeys(n *Node) string {
	var keys []string
	for _, e := range n.Entries {
		keys = append(keys, e.Key.Text)
	}
	if len(keys) == 0 {
		return "an empty mapping"
	}
	return "the keys " + clip(strings.Join(keys, ", "), maxFound)
}
