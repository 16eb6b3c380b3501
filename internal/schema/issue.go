package schema

import (
	"strconv"
	"strings"
)

// issue is a problem without its text: alternatives make many that nobody sees.
type issue struct {
	at       *path
	node     *Node
	message  string // "" for a value of the wrong type
	found    string // "" for what the node is
	expected string
	unknown  *Fields  // the object that has no such key
	names    []string // one of them may be meant
	like     string   // what is most like them
	specific bool     // says more than which type was expected
}

// problem is the issue with its text.
func (i issue) problem() Problem {
	p := Problem{
		Line: i.node.Line, Column: i.node.Column, Path: i.at.String(), Message: i.message, Found: i.found,
		Expected: i.expected, Suggestion: i.like,
	}
	switch {
	case i.unknown != nil:
		i.names = i.unknown.names()
		key := strconv.Quote(clip(i.node.Text, maxFound))
		p.Message, p.Found, p.Expected = "the key "+key+" is not known here", "key "+key, "one of "+strings.Join(
			i.names, ", ",
		)
		if len(i.names) == 0 {
			p.Expected = "no keys"
		}
	case i.message == "":
		p.Found = i.node.describe()
		p.Message = "expected " + i.expected + ", found " + p.Found
	}
	if i.names != nil && i.node.Kind == String {
		p.Suggestion = Nearest(i.node.Text, i.names)
	}
	return p
}
