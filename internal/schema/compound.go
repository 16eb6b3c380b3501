package schema

import (
	"slices"
	"strings"
)

// Sub is a nested object.
func Sub(o Object) Type {
	return Type{
		read:     func(d *decoder, n *Node, at *path) []issue { return d.object(n, at, o) },
		json:     func() map[string]any { return describeObject(o) },
		expected: "a mapping",
	}
}

// Optionally is a nested object that leaves a nil pointer where the file has none.
func Optionally[T any, P interface {
	*T
	Object
}](dst *P) Type {
	return Type{
		read: func(d *decoder, n *Node, at *path) []issue {
			v := P(new(T))
			out := d.object(n, at, v)
			*dst = v
			return out
		},
		json:     func() map[string]any { return describeObject(P(new(T))) },
		expected: "a mapping",
	}
}

// ListOf is a list whose items item reads.
func ListOf[T any](dst *[]T, item func(dst *T) Type) Type {
	return Type{
		read: func(d *decoder, n *Node, at *path) []issue {
			if n.Kind != List {
				return mismatch(n, at, "a list")
			}
			*dst = make([]T, len(n.Items))
			var deep, flat []issue
			for i, x := range n.Items {
				if len(deep)+len(flat) > maxProblems {
					break
				}
				where := at.item(i)
				bad := item(&(*dst)[i]).read(d, x, where)
				// LAVA's validator leaves a list at the first item that is wrong inside.
				if len(bad) > 0 && bad[0].at.len() > where.len() {
					deep = append(deep, bad...)
				} else {
					flat = append(flat, bad...)
				}
			}
			return append(deep, flat...)
		},
		json: func() map[string]any {
			return map[string]any{"type": "array", "items": item(new(T)).json()}
		},
		expected: "a list",
	}
}

// Objects is a list of objects.
func Objects[T any, P interface {
	*T
	Object
}](dst *[]T) Type {
	return ListOf(dst, func(v *T) Type { return Sub(P(v)) })
}

// Texts is a list of strings.
func Texts(dst *[]string) Type { return ListOf(dst, Text) }

// TextOrTexts is a string, or a list of them.
func TextOrTexts(dst *[]string) Type {
	var one string
	return Either("a string, or a list of strings", Then(Text(&one), func() { *dst = []string{one} }), Texts(dst))
}

// MapOf is a mapping from free names to what value reads.
func MapOf[T any](dst *map[string]T, value func(dst *T) Type) Type {
	return mapOf(dst, Text(new(string)), value)
}

// MapLike is MapOf with a say in the names.
func MapLike[T any](dst *map[string]T, key Type, value func(dst *T) Type) Type {
	return mapOf(dst, key, value)
}

func mapOf[T any](dst *map[string]T, key Type, value func(dst *T) Type) Type {
	return Type{
		read: func(d *decoder, n *Node, at *path) []issue {
			if n.Kind != Map {
				return mismatch(n, at, "a mapping")
			}
			*dst = make(map[string]T, len(n.Entries))
			var out []issue
			for _, e := range n.Entries {
				if len(out) > maxProblems {
					break
				}
				where := at.entry(e.Key)
				if bad := key.read(d, e.Key, where); len(bad) > 0 {
					if d.mode == Strict {
						out = append(out, bad...)
					}
					continue
				}
				var v T
				out = append(out, value(&v).read(d, e.Value, where)...)
				(*dst)[e.Key.Text] = v
			}
			return out
		},
		json: func() map[string]any {
			m := map[string]any{"type": "object", "additionalProperties": false}
			describeRest(m, key.json(), value(new(T)).json())
			return m
		},
		expected: "a mapping",
	}
}

// MapObjects is a mapping from free names to objects.
func MapObjects[T any, P interface {
	*T
	Object
}](dst *map[string]P) Type {
	return MapOf(dst, func(v *P) Type {
		*v = P(new(T))
		return Sub(*v)
	})
}

// Either is the first of the types that fits. When none does, the one that fits furthest down speaks.
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

// EitherBy is Either for mappings whose key says which of the types is meant. LAVA's validator does not look at that
// key, so the first issue stands where its does; those of the meant type follow.
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
		said := meant[0].problem()
		lead.message = "with " + key + ": " + v.Text + ", this is wrong: " + said.Message
		lead.found, lead.expected, lead.like, lead.names, lead.unknown = said.Found, said.Expected, said.Suggestion, nil, nil
		return append([]issue{lead}, meant...)
	}
	return t
}

// misnamed is what to say when the key names none of the types.
func misnamed(bad []issue, v *Node, at *path, key string, names []string) []issue {
	own := []issue{{at: at.child(key), node: v, expected: "one of " + strings.Join(names, ", "), names: names}}
	if bad[0].at.String() == own[0].at.String() {
		return own
	}
	return append(bad[:1:1], own...)
}

// Then calls f when t was read without fault.
func Then(t Type, f func()) Type {
	read := t.read
	t.read = func(d *decoder, n *Node, at *path) []issue {
		bad := read(d, n, at)
		if len(bad) == 0 {
			f()
		}
		return bad
	}
	return t
}

// Tested adds a test to a type; it returns nil when there is nothing to say.
func Tested(t Type, check func(n *Node) *Fault) Type {
	read := t.read
	t.read = func(d *decoder, n *Node, at *path) []issue {
		if bad := read(d, n, at); len(bad) > 0 {
			return bad
		}
		return (&Fields{checks: []func(*Node) *Fault{check}}).checked(n, at)
	}
	return t
}

// Keeping also stores the node that t reads.
func Keeping(dst **Node, t Type) Type {
	read := t.read
	t.read = func(d *decoder, n *Node, at *path) []issue {
		*dst = n
		return read(d, n, at)
	}
	return t
}

// Choice is a type found by looking at the node, such as an object whose kind one of its keys names. A nil Type and a
// fault refuse it.
func Choice(expected string, pick func(n *Node) (Type, *Fault), all func() []Type) Type {
	return Type{
		read: func(d *decoder, n *Node, at *path) []issue {
			t, fault := pick(n)
			if fault != nil {
				return (&Fields{checks: []func(*Node) *Fault{func(*Node) *Fault { return fault }}}).checked(n, at)
			}
			return t.read(d, n, at)
		},
		json: func() map[string]any {
			list := []map[string]any{}
			for _, t := range all() {
				list = append(list, t.json())
			}
			return map[string]any{"anyOf": list}
		},
		expected: expected,
	}
}

// Each is a value that is read by its key's name.
func Each(value func(name string) Type) Type {
	return Type{
		read: func(d *decoder, n *Node, at *path) []issue { return value(at.key).read(d, n, at) },
		json: func() map[string]any { return value("").json() },
	}
}

// Also reads more where t fits and more fits as well.
func Also(t, more Type) Type { return also(t, more, Strict) }

// Leniently is Also for lenient files: those can hold what only a later alternative declares.
func Leniently(t, more Type) Type { return also(t, more, Lenient) }

func also(t, more Type, least Mode) Type {
	read := t.read
	t.read = func(d *decoder, n *Node, at *path) []issue {
		bad := read(d, n, at)
		if len(bad) == 0 && d.mode >= least {
			more.read(d, n, at)
		}
		return bad
	}
	return t
}

// Nodes is a mapping kept by its keys; what several keys read into one map is merged.
func Nodes(dst *map[string]*Node) Type {
	return scalar("a mapping", fixed("type", "object"), func(n *Node) bool {
		if n.Kind != Map {
			return false
		}
		if *dst == nil {
			*dst = make(map[string]*Node, len(n.Entries))
		}
		for _, e := range n.Entries {
			(*dst)[e.Key.Text] = e.Value
		}
		return true
	})
}

// Values is a mapping to scalars, as the text that the file has.
func Values(dst *map[string]string) Type {
	return scalar("a mapping", fixed("type", "object"), func(n *Node) bool {
		if n.Kind != Map {
			return false
		}
		*dst = make(map[string]string, len(n.Entries))
		for _, e := range n.Entries {
			(*dst)[e.Key.Text] = e.Value.Text
		}
		return true
	})
}

// NonEmpty is a mapping with at least one key, or a list with at least one item.
func NonEmpty(t Type) Type {
	json := t.json
	t.json = func() map[string]any {
		return map[string]any{"allOf": []map[string]any{json(), {"not": map[string]any{"enum": []any{"", []any{}, map[string]any{}}}}}}
	}
	return Tested(t, func(n *Node) *Fault {
		if len(n.Items)+len(n.Entries)+len(n.Text) > 0 {
			return nil
		}
		return &Fault{Message: "there is nothing in it", Found: "nothing", Expected: "at least one entry"}
	})
}

// OneKeyOf is an object that has exactly one of the names, all declared as optional. When it is wrong, the first issue
// stands where LAVA's validator looks first, which reads such objects as alternatives: the first name with the rest.
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

// leading puts the issue first that the alternative with names[0] meets first.
func (d *decoder) leading(n *Node, at *path, bad []issue, names []string) []issue {
	for _, e := range n.Entries {
		for i := range bad {
			if bad[i].at.len() == at.len()+1 && bad[i].at.key == e.Key.Text {
				return append([]issue{bad[i]}, append(bad[:i:i], bad[i+1:]...)...)
			}
		}
		if d.mode == Strict && e.Key.Text != names[0] && slices.Contains(names, e.Key.Text) {
			return append([]issue{{
				at: at.entry(e.Key), node: e.Key, message: "exactly one of " + strings.Join(names, ", ") + " is wanted, and nothing else",
				found: describeKeys(n), expected: "a mapping with one of " + strings.Join(names, ", "),
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

// Described is t with a JSON Schema of its own.
func Described(t Type, json func() map[string]any) Type {
	t.json = json
	return t
}
