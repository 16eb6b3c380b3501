package dut

import "slices"

// Consoles are the serial lines of a board. The first is the one that jobs log in on unless they name another.
type Consoles []NamedConsole

// NamedConsole is a console and what its device file calls it.
type NamedConsole struct {
	Name string
	Console
}

// First is the first console; the zero NamedConsole where there is none.
func (c Consoles) First() NamedConsole {
	if len(c) == 0 {
		return NamedConsole{}
	}
	return c[0]
}

// Named is the console of that name, and whether it is the first; nil where there is none.
func (c Consoles) Named(name string) (tty Console, first bool) {
	i := slices.IndexFunc(c, func(n NamedConsole) bool { return n.Name == name })
	if i < 0 {
		return nil, false
	}
	return c[i].Console, i == 0
}
