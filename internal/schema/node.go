package schema

import (
	"fmt"
	"math/big"
	"strconv"
	"time"
)

// Kind is what a node holds, after its scalar was resolved.
type Kind int

// The kinds, named as error messages name them.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	Time
	Binary
	List
	Map
)

// String is the kind's name in error messages.
func (k Kind) String() string {
	return [...]string{"null", "boolean", "integer", "float", "string", "timestamp", "binary", "list", "mapping"}[k]
}

// Node is a value of a document, with its place.
type Node struct {
	Position
	Kind    Kind
	Text    string    // a string's value; the source of another scalar
	Bool    bool      // of a Bool
	Int     int64     // of an Int that fits
	Float   float64   // of a Float or an Int
	Big     *big.Int  // of an Int that does not fit
	Time    time.Time // of a Time
	Items   []*Node   // of a List
	Entries []Entry   // of a Map, in the order Python's dict would have
	weight  int       // values in it, of an anchored node
}

// Entry is a key of a mapping with its value.
type Entry struct {
	Key, Value *Node
	own        bool // not brought in by a merge
}

// Get is the value of a string key, or nil.
func (n *Node) Get(key string) *Node {
	if e := n.entry(key); e != nil {
		return e.Value
	}
	return nil
}

func (n *Node) entry(key string) *Entry {
	if n == nil {
		return nil
	}
	for i := range n.Entries {
		if k := n.Entries[i].Key; k.Kind == String && k.Text == key {
			return &n.Entries[i]
		}
	}
	return nil
}

// Value is the node as plain Go: nil, bool, int64, float64, string, time.Time, []any or map[string]any; a big integer
// is its text, and so is a key that is no string.
func (n *Node) Value() any {
	switch n.Kind {
	case Null:
		return nil
	case Bool:
		return n.Bool
	case Int:
		if n.Big != nil {
			return n.Text
		}
		return n.Int
	case Float:
		return n.Float
	case Time:
		return n.Time
	case List:
		l := make([]any, len(n.Items))
		for i, x := range n.Items {
			l[i] = x.Value()
		}
		return l
	case Map:
		m := make(map[string]any, len(n.Entries))
		for _, e := range n.Entries {
			m[e.Key.Text] = e.Value.Value()
		}
		return m
	default:
		return n.Text
	}
}

// describe is the node for the "found" of a problem.
func (n *Node) describe() string {
	switch n.Kind {
	case Null, List, Map:
		return n.Kind.String()
	case String:
		return "string " + strconv.Quote(clip(n.Text, maxFound))
	default:
		return n.Kind.String() + " " + clip(n.Text, maxFound)
	}
}

// maxFound bounds how much of a hostile value is repeated, in runes.
const maxFound = 60

// identity is equal for keys that Python's dict holds to be equal.
func (n *Node) identity() string {
	switch n.Kind {
	case Bool:
		if n.Bool {
			return "n1"
		}
		return "n0"
	case Int:
		if n.Big != nil {
			return "n" + n.Big.String()
		}
		return "n" + strconv.FormatInt(n.Int, 10)
	case Float:
		if i := int64(n.Float); float64(i) == n.Float {
			return "n" + strconv.FormatInt(i, 10)
		}
		return "f" + strconv.FormatFloat(n.Float, 'g', -1, 64)
	case Time:
		return "t" + n.Time.String()
	default:
		return fmt.Sprintf("%d%s", n.Kind, n.Text)
	}
}
