package schema

import (
	"fmt"
	"strconv"
	"strings"
)

type decoder struct{ mode Mode }

// Decode reads a mapping into o and adds what is wrong to the report. The path is what problems' paths begin with,
// such as "actions[0]".
func Decode(n *Node, prefix string, o Object, mode Mode, r *Report) {
	d := decoder{mode: mode}
	var at *path
	if prefix != "" {
		at = at.child(prefix)
	}
	r.add(d.object(n, at, o))
}

// Read is Decode for a Type.
func Read(n *Node, prefix string, t Type, mode Mode, r *Report) {
	d := decoder{mode: mode}
	var at *path
	if prefix != "" {
		at = at.child(prefix)
	}
	r.add(t.read(&d, n, at))
}

// Add reports a fault at a node that no declaration can find, such as one between two parts of a file.
func (r *Report) Add(n *Node, path string, f Fault) {
	if f.At != nil {
		n = f.At
	}
	if f.Path != "" {
		path = strings.TrimPrefix(path+"."+f.Path, ".")
	}
	r.Errors = append(r.Errors, Problem{
		Line: n.Line, Column: n.Column, Path: path, Message: f.Message, Found: f.Found, Expected: f.Expected,
		Suggestion: f.Suggestion,
	})
}

// maxProblems bounds the report of a hostile file.
const maxProblems = 200

func (r *Report) add(issues []issue) {
	for _, i := range issues {
		if len(r.Errors) >= maxProblems {
			return
		}
		r.Errors = append(r.Errors, i.problem())
	}
}

func mismatch(n *Node, at *path, expected string) []issue {
	return []issue{{at: at, node: n, expected: expected}}
}

// object reads a mapping. The order of the issues is that of LAVA's validator: exclusions alone if there are any; else
// keys in the file's order, and then what is missing.
func (d *decoder) object(n *Node, at *path, o Object) []issue {
	if n.Kind != Map {
		return mismatch(n, at, "a mapping")
	}
	f := declare(o)
	f.locate(n, at)
	if bad := f.excluded(n, at); len(bad) > 0 {
		return bad
	}
	mode := d.mode
	if f.mode != nil {
		mode = *f.mode
	}
	var out []issue
	seen := make([]bool, len(f.fields))
	for _, e := range n.Entries {
		if len(out) > maxProblems {
			return out
		}
		where := at.entry(e.Key)
		if i := f.index(e.Key); i >= 0 {
			seen[i] = true
			out = append(out, f.fields[i].typ.read(d, e.Value, where)...)
			continue
		}
		if f.spelled && mode == Lenient && f.typo(n, e.Key) {
			out = append(out, issue{at: where, node: e.Key, unknown: f})
			continue
		}
		out = append(out, d.undeclared(f, e, where, mode)...)
	}
	for i, x := range f.fields {
		if x.required && !seen[i] {
			out = append(out, issue{
				at: at.child(x.name), node: n, message: fmt.Sprintf("the key %q is missing", x.name), expected: x.typ.expected,
			})
		}
	}
	if len(out) > 0 {
		return out
	}
	return f.checked(n, at)
}

func (f *Fields) locate(n *Node, at *path) {
	if f.place != nil {
		*f.place = n.Position
		if at != nil && at.named != nil {
			*f.place = at.named.Position
		}
	}
	if f.places != nil {
		*f.places = make(Places, len(n.Entries))
		for _, e := range n.Entries {
			(*f.places)[e.Key.Text] = e.Key.Position
		}
	}
}

func (f *Fields) index(key *Node) int {
	if key.Kind != String {
		return -1
	}
	for i := range f.fields {
		if f.fields[i].name == key.Text {
			return i
		}
	}
	return -1
}

func (f *Fields) excluded(n *Node, at *path) []issue {
	var out []issue
	for _, x := range f.exclusive {
		var first *Entry
		for _, name := range x {
			e := n.entry(name)
			switch {
			case e == nil:
			case first == nil:
				first = e
			default:
				out = append(out, issue{
					at: at.entry(e.Key), node: e.Key, found: "key " + strconv.Quote(name),
					message:  fmt.Sprintf("%q and %q exclude each other", first.Key.Text, name),
					expected: "one of " + strings.Join(x, ", "),
				})
			}
		}
	}
	return out
}

// undeclared reads a key that no field has.
func (d *decoder) undeclared(f *Fields, e Entry, at *path, mode Mode) []issue {
	if f.keys != nil {
		bad := f.keys.key.read(d, e.Key, at)
		if len(bad) == 0 {
			return f.keys.value.read(d, e.Value, at)
		}
		if mode == Strict {
			return bad
		}
	}
	if mode == Lenient {
		return nil
	}
	return []issue{{at: at, node: e.Key, unknown: f}}
}

// minTypo is the length from which one wrong letter is a typing error and not another word.
const minTypo = 4

// typo reports whether a key is a declared one with a typing error.
func (f *Fields) typo(n, key *Node) bool {
	for _, x := range f.fields {
		if len(key.Text) >= minTypo && len(key.Text) <= maxFound && key.Kind == String && n.entry(x.name) == nil &&
			distance(key.Text, x.name) == 1 {
			return true
		}
	}
	return false
}

func (f *Fields) names() []string {
	names := make([]string, len(f.fields))
	for i, x := range f.fields {
		names[i] = x.name
	}
	return names
}

func (f *Fields) checked(n *Node, at *path) []issue {
	var out []issue
	for _, check := range f.checks {
		fault := check(n)
		if fault == nil {
			continue
		}
		i := issue{
			at: at, node: n, message: fault.Message, found: fault.Found, expected: fault.Expected, like: fault.Suggestion,
		}
		if fault.Path != "" {
			i.at = at.child(fault.Path)
		}
		if fault.At != nil {
			i.node = fault.At
		}
		out = append(out, i)
	}
	return out
}
