package console

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
)

// dfaSize is roughly the most bytes of memory that the states of one automaton use. Beyond it they are dropped, and
// built again as needed. Waiting for prompts needs some kilobytes.
const dfaSize = 4 << 20

// stateSize is about how many bytes a state uses besides its set and its row of the table.
const stateSize = 200

// Entries of the table: the state's first index, or one of these.
const (
	unknown = 1<<32 - 1
	hit     = 1 << 30 // added to a state that patterns match in; anything from it on leaves the fast loop
)

// dfa is the deterministic automaton of a program, built while it runs. It finds where matches end, for all patterns
// with one look-up a byte; regular expressions then find what exactly matched.
type dfa struct {
	p      *program
	stride uint32
	next   []uint32
	states []state
	index  map[string]uint32
	size   int
	born   int // how often the states were dropped
	pairs  pairs
	set    sparse
	stack  []uint32
	key    []byte
}

// state is a set of instructions that wait for a rune, and the rune before where one of them depends on it.
type state struct {
	set     []uint32
	prev    rune    // -1 (the begin of the text), \n, a word's rune, or another
	empty   bool    // set has empty-width instructions
	matched []int32 // patterns of which a match ends here
	idle    bool    // no match has begun
	peeked  bool
	peek    []int32 // patterns of which a match ends here if the text ends here
}

func newDFA(p *program) *dfa {
	d := &dfa{p: p, stride: uint32(len(p.rep))}
	d.set.init(len(p.inst))
	d.forget()
	return d
}

// forget drops all states.
func (d *dfa) forget() {
	d.next, d.states, d.index, d.size = d.next[:0], d.states[:0], map[string]uint32{}, 0
	d.born++
	d.pairs.forget()
}

// begin is the state before any text.
func (d *dfa) begin() uint32 {
	d.set.clear()
	d.seed()
	return d.intern(-1, nil, true)
}

// seed adds the instructions that wait for the first rune of a match.
func (d *dfa) seed() {
	for _, pc := range d.p.start {
		d.follow(pc, 0, nil)
	}
}

// follow adds the instruction pc, or those that it leads to without a rune; flags are the empty-width conditions that
// hold.
func (d *dfa) follow(pc uint32, flags syntax.EmptyOp, matched *[]int32) {
	d.stack = append(d.stack[:0], pc)
	for len(d.stack) > 0 {
		pc := d.stack[len(d.stack)-1]
		d.stack = d.stack[:len(d.stack)-1]
		if !d.set.add(pc) {
			continue
		}
		switch in := &d.p.inst[pc]; in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			d.stack = append(d.stack, in.Out, in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			d.stack = append(d.stack, in.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(in.Arg)&^flags == 0 && flags != 0 {
				d.stack = append(d.stack, in.Out)
			}
		case syntax.InstMatch:
			if matched != nil && !slices.Contains(*matched, d.p.owner[pc]) {
				*matched = append(*matched, d.p.owner[pc])
			}
		default:
		}
	}
}

// intern is the state of d.set.
func (d *dfa) intern(prev rune, matched []int32, idle bool) uint32 {
	s := state{matched: matched, prev: ' ', idle: idle}
	for _, pc := range d.set.dense {
		switch d.p.inst[pc].Op {
		case syntax.InstEmptyWidth:
			s.empty = true
			s.set = append(s.set, pc)
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			s.set = append(s.set, pc)
		default:
		}
	}
	if s.empty {
		s.prev = prev
	}
	slices.Sort(s.set)
	slices.Sort(s.matched)
	d.key = s.appendKey(d.key[:0])
	if at, ok := d.index[string(d.key)]; ok {
		return at
	}
	if d.size > dfaSize {
		d.forget()
	}
	at := uint32(len(d.next))
	for range d.stride {
		d.next = append(d.next, unknown)
	}
	d.next[at+classReturn] = at
	if d.size += len(d.key) + 4*len(s.set) + 4*int(d.stride) + stateSize; len(matched) > 0 {
		at |= hit
	}
	d.index[string(d.key)] = at
	d.states = append(d.states, s)
	return at
}

// appendKey appends what identifies the state among the automaton's.
func (s *state) appendKey(k []byte) []byte {
	k = binary.AppendVarint(k, int64(s.prev))
	k = binary.AppendUvarint(k, uint64(len(s.matched)))
	k = append(k, 0)
	if s.idle {
		k[len(k)-1] = 1
	}
	for _, m := range s.matched {
		k = binary.AppendUvarint(k, uint64(m))
	}
	for _, pc := range s.set {
		k = binary.LittleEndian.AppendUint32(k, pc)
	}
	return k
}

func (d *dfa) state(at uint32) *state { return &d.states[(at&^hit)/d.stride] }

// step is the state after a rune of the class.
func (d *dfa) step(at uint32, class uint16) uint32 {
	at &^= hit
	if to := d.next[at+uint32(class)]; to != unknown {
		return to
	}
	s, r := *d.state(at), d.p.rep[class]
	matched := d.expand(&s, r)
	from := slices.Clone(d.set.dense)
	d.set.clear()
	for _, pc := range from {
		switch in := &d.p.inst[pc]; in.Op {
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			if in.MatchRune(r) {
				d.follow(in.Out, 0, &matched)
			}
		default:
		}
	}
	idle := len(d.set.dense) == 0
	d.seed()
	born := d.born
	to := d.intern(d.before(r), matched, idle)
	if born == d.born { // else at was forgotten
		d.next[at+uint32(class)] = to
	}
	return to
}

// expand sets d.set to what s waits for when the next rune is r (-1 is the end of the text), and returns the patterns
// that match before it.
func (d *dfa) expand(s *state, r rune) []int32 {
	var matched []int32
	d.set.clear()
	flags := syntax.EmptyOp(0)
	if s.empty {
		flags = syntax.EmptyOpContext(s.prev, r)
	}
	for _, pc := range s.set {
		d.follow(pc, flags, &matched)
	}
	return matched
}

// before is r as far as it matters to the next empty-width condition.
func (d *dfa) before(r rune) rune {
	switch k := kind(r); {
	case k == 'n':
		return '\n'
	case k == 'w' && d.p.words:
		return 'w'
	}
	return ' '
}

// ending are the patterns that match if the text ends in the state.
func (d *dfa) ending(at uint32) []int32 {
	s := d.state(at)
	if s.empty && !s.peeked {
		s.peek, s.peeked = d.expand(s, -1), true
	}
	return s.peek
}

// run reads b as far as it is ASCII text without escapes and no pattern matches. It returns the state and how many
// bytes it read; step finds the state after the next one.
func (d *dfa) run(at uint32, b []byte) (uint32, int) {
	next, bytes, rest := d.next, &d.p.bytes, d.pairs.rest
	for i := 0; ; {
		if at == rest {
			i += d.pairs.skip(b[i:])
		}
		for {
			if i >= len(b) {
				return at, i
			}
			to := next[at+uint32(bytes[b[i]])]
			if to >= hit {
				return at, i
			}
			i++
			if at = to; at == rest {
				break
			}
		}
	}
}
