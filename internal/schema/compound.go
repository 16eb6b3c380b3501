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
				if len(deep)+len(flat) > maxProblems {
					break
				}
				where := at.item(i)
				bad := item(&(*dst)[i]).read(d, x, where)
				// LAVA's validator stops at the first item of a list that is wrong inside.
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

// MapLike is MapOf with a check of the names.
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

// Each is a value that is read by its key's name.
func Each(value func(name string) Type) Type {
	return Type{
		read: func(d *decoder, n *Node, at *path) []issue { return value(at.key).read(d, n, at) },
		json: func() map[string]any { return value("").json() },
	}
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
