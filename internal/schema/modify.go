package schema

import "maps"

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

// Tested adds a test to a type; it returns nil if nothing is wrong.
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

// NonEmpty is a mapping with at least one key, or a list with at least one item.
func NonEmpty(t Type) Type {
	json := t.json
	t.json = func() map[string]any {
		m := maps.Clone(json())
		switch m["type"] {
		case "object":
			m["minProperties"] = 1
		case "array":
			m["minItems"] = 1
		default:
			m["not"] = map[string]any{"enum": []any{"", []any{}, map[string]any{}}}
		}
		return m
	}
	return Tested(t, func(n *Node) *Fault {
		if len(n.Items)+len(n.Entries)+len(n.Text) > 0 {
			return nil
		}
		return &Fault{Message: "there is nothing in it", Found: "nothing", Expected: "at least one entry"}
	})
}

// Described is t with a JSON Schema of its own.
func Described(t Type, json func() map[string]any) Type {
	t.json = json
	return t
}
