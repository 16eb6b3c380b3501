package schema

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
			return map[string]any{"type": "object", "additionalProperties": value(new(T)).json()}
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

// Also reads more where t fits and more fits as well. Lenient files can hold what only a later alternative declares.
func Also(t, more Type) Type {
	read := t.read
	t.read = func(d *decoder, n *Node, at *path) []issue {
		bad := read(d, n, at)
		if len(bad) == 0 {
			more.read(d, n, at)
		}
		return bad
	}
	return t
}
