package kernlog

// automaton finds every occurrence of a set of words in one pass (Aho and Corasick 1975), so that a line costs the same
// however many words there are. It is immutable after newAutomaton.
type automaton struct {
	class  [256]uint8 // of a byte; 0 is every byte that no word has
	next   []uint16   // state<<classBits | class → state
	accept uint16     // states from here on end a word
	ends   []uint64   // the words' bits, by state - accept
}

const (
	classBits = 7 // at most 127 different bytes in all words
	rootState = 0
)

// node is a state while the automaton is built.
type node struct {
	child map[uint8]int
	fail  int
	ends  uint64
}

// newAutomaton makes the automaton of words; bits[i] is reported for words[i].
func newAutomaton(words []string, bits []uint64) *automaton {
	a := &automaton{}
	classes := uint8(0)
	trie := []node{{child: map[uint8]int{}}}
	for i, w := range words {
		at := rootState
		for j := range len(w) {
			if a.class[w[j]] == 0 {
				classes++
				a.class[w[j]] = classes
			}
			c := a.class[w[j]]
			n, ok := trie[at].child[c]
			if !ok {
				n = len(trie)
				trie = append(trie, node{child: map[uint8]int{}})
				trie[at].child[c] = n
			}
			at = n
		}
		trie[at].ends |= bits[i]
	}
	if classes >= 1<<classBits {
		panic("kernlog: the trigger words use too many different bytes")
	}
	order := link(trie, classes)
	a.compile(trie, order, classes)
	return a
}

// link sets the failure links, fills in every transition, and returns the states breadth first.
func link(trie []node, classes uint8) []int {
	order := []int{rootState}
	for i := 0; i < len(order); i++ {
		at := order[i]
		for c := uint8(1); c <= classes; c++ {
			n, ok := trie[at].child[c]
			if !ok {
				if at != rootState {
					trie[at].child[c] = trie[trie[at].fail].child[c]
				}
				continue
			}
			if at != rootState {
				trie[n].fail = trie[trie[at].fail].child[c]
			}
			trie[n].ends |= trie[trie[n].fail].ends
			order = append(order, n)
		}
	}
	return order
}

// compile lays the states out with the accepting ones last, so that one comparison a byte finds them.
func (a *automaton) compile(trie []node, order []int, classes uint8) {
	number := make([]uint16, len(trie))
	n := uint16(0)
	for _, accepting := range []bool{false, true} {
		if accepting {
			a.accept = n
		}
		for _, s := range order {
			if (trie[s].ends != 0) == accepting {
				number[s] = n
				n++
			}
		}
	}
	a.next = make([]uint16, len(trie)<<classBits)
	a.ends = make([]uint64, n-a.accept)
	for s := range trie {
		for c := uint8(1); c <= classes; c++ {
			a.next[int(number[s])<<classBits|int(c)] = number[trie[s].child[c]]
		}
		if number[s] >= a.accept {
			a.ends[number[s]-a.accept] = trie[s].ends
		}
	}
}

// scan returns the bits of the words in b.
func (a *automaton) scan(b []byte) uint64 {
	state, found := uint16(rootState), uint64(0)
	for _, c := range b {
		state = a.next[int(state)<<classBits|int(a.class[c])]
		if state >= a.accept {
			found |= a.ends[state-a.accept]
		}
	}
	return found
}
