package schema

// Object is a YAML mapping. Fields declares its keys; the value a pointer holds at that moment is the default.
type Object interface{ Fields(f *Fields) }

// Type is what one key may hold.
type Type struct {
	read     func(d *decoder, n *Node, at *path) []issue
	json     func() map[string]any
	expected string // for messages: "a string"
}

type field struct {
	name, doc string
	required  bool
	typ       Type
}

// Fields collects an object's declaration.
type Fields struct {
	fields    []field
	exclusive []exclusion
	keys      *wildcard // of keys that are not declared by name
	place     *Position
	places    *Places
	mode      *Mode
	spelled   bool
	checks    []func(n *Node) *Fault
}

type exclusion []string

type wildcard struct {
	key, value Type
}

// Places has the place of each key that an object's source has.
type Places map[string]Position

// Required declares a key that must be there.
func (f *Fields) Required(name string, t Type, doc string) {
	f.add(field{name, doc, true, t})
}

// Optional declares a key that may be there.
func (f *Fields) Optional(name string, t Type, doc string) {
	f.add(field{name, doc, false, t})
}

// add replaces an earlier declaration of the name, so that an object can refine what it embeds.
func (f *Fields) add(x field) {
	for i := range f.fields {
		if f.fields[i].name == x.name {
			f.fields[i] = x
			return
		}
	}
	f.fields = append(f.fields, x)
}

// Exclusive says that at most one of the names, declared elsewhere, may be there.
func (f *Fields) Exclusive(names ...string) {
	f.exclusive = append(f.exclusive, names)
}

// Rest declares keys by a pattern: those not declared by name that key accepts hold value.
func (f *Fields) Rest(key, value Type) { f.keys = &wildcard{key, value} }

// Closed refuses undeclared keys in lenient mode too; Open lets them through in strict mode.
func (f *Fields) Closed() { m := Strict; f.mode = &m }

// Open lets undeclared keys through in both modes.
func (f *Fields) Open() { m := Lenient; f.mode = &m }

// Spelled refuses, even in lenient mode, a key that is one letter off from a declared one that is not there.
func (f *Fields) Spelled() { f.spelled = true }

// Place records where the object stands: its key when it has one, else its first key.
func (f *Fields) Place(p *Position) { f.place = p }

// Places records where each key of the object stands.
func (f *Fields) Places(p *Places) { f.places = p }

// Check adds a test of the whole object, made when its keys are right. It returns nil if nothing is wrong.
func (f *Fields) Check(c func(n *Node) *Fault) { f.checks = append(f.checks, c) }

// Fault is what a Check found. The path is of keys below the object; At defaults to the object.
type Fault struct {
	Path, Message, Found, Expected, Suggestion string
	At                                         *Node
}

// usualKeys is how many keys most objects have at most.
const usualKeys = 16

func declare(o Object) *Fields {
	f := &Fields{fields: make([]field, 0, usualKeys)}
	o.Fields(f)
	return f
}
