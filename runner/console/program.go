package console

import (
	"encoding/binary"
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/gantry-ci/gantry/internal/terminal"
)

// maxProgram is the most instructions that all patterns of an Expect may have together: a step of the automaton that is
// not cached yet visits all of them.
const maxProgram = 20_000

// program is all patterns as one non-deterministic automaton. It works on classes of runes: runes that all patterns
// treat alike.
type program struct {
	inst  []syntax.Inst
	owner []int32 // of an instruction: its pattern
	start []uint32
	words bool   // an instruction depends on the border of a word
	whole []bool // of a pattern: it depends on the begin of the text (\A)

	bytes   [256]uint8  // class of an ASCII rune; one of the two special ones for other bytes
	low     [2048]uint8 // class of a rune of up to two bytes
	broken  uint16      // class of bytes that are not UTF-8
	bounds  []rune      // where intervals of runes begin
	classOf []uint16    // of an interval
	rep     []rune      // of a class: a rune of it
}

// Classes that no rune has. They are never in the table, so that such a byte leaves the fast loop.
const (
	classOther  = 0 // the byte is not ASCII, or begins an escape
	classReturn = 1 // \r: the state stays
	classFirst  = 2 // the first class of runes
)

func newProgram(trees []*syntax.Regexp) (*program, error) {
	p := &program{}
	for i, tree := range trees {
		prog, err := syntax.Compile(tree.Simplify())
		if err != nil {
			return nil, err
		}
		base := uint32(len(p.inst))
		begin := false
		for _, in := range prog.Inst {
			in.Out += base
			if in.Op == syntax.InstAlt || in.Op == syntax.InstAltMatch {
				in.Arg += base
			}
			p.words = p.words || in.Op == syntax.InstEmptyWidth && syntax.EmptyOp(
				in.Arg,
			)&(syntax.EmptyWordBoundary|syntax.EmptyNoWordBoundary) != 0
			begin = begin || in.Op == syntax.InstEmptyWidth && syntax.EmptyOp(in.Arg)&syntax.EmptyBeginText != 0
			p.inst, p.owner = append(p.inst, in), append(p.owner, int32(i))
		}
		p.start, p.whole = append(p.start, base+uint32(prog.Start)), append(p.whole, begin)
		if len(p.inst) > maxProgram {
			return nil, fmt.Errorf("the patterns up to the %d. have more than %d steps together", i+1, maxProgram)
		}
	}
	return p, p.classify()
}

// maxClasses lets a byte of the table hold a class; patterns of real jobs have some dozens. maxComparisons bounds the
// work of finding them: the instructions that match a rune times the bounds of their ranges.
const (
	maxClasses     = 250
	maxComparisons = 4_000_000
)

// classify finds the classes: intervals between the bounds of all ranges, joined where all instructions agree.
func (p *program) classify() error {
	p.bounds = p.intervals()
	runes := p.runeInsts()
	if len(p.bounds)*len(runes) > maxComparisons {
		return errors.New("the patterns have too many classes of characters together")
	}
	byKey := map[string]uint16{}
	p.rep = make([]rune, classFirst)
	var key []byte
	for _, r := range p.bounds {
		key = append(key[:0], kind(r))
		for _, pc := range runes {
			if p.inst[pc].MatchRune(r) {
				key = binary.LittleEndian.AppendUint32(key, pc)
			}
		}
		class, ok := byKey[string(key)]
		if !ok {
			class = uint16(len(p.rep))
			byKey[string(key)], p.rep = class, append(p.rep, r)
		}
		p.classOf = append(p.classOf, class)
	}
	if len(p.rep) > maxClasses {
		return fmt.Errorf("the patterns distinguish %d classes of characters; the limit is %d", len(p.rep), maxClasses)
	}
	p.tabulate()
	return nil
}

// tabulate fills the tables of the classes.
func (p *program) tabulate() {
	for b := range p.bytes {
		if b < 0x80 && b != terminal.ESC {
			p.bytes[b] = uint8(p.find(rune(b)))
		}
	}
	p.bytes['\r'] = classReturn
	for r := range p.low {
		p.low[r] = uint8(p.find(rune(r)))
	}
	p.broken = p.find(utf8.RuneError)
}

// kind is a rune as far as it matters to empty-width instructions.
func kind(r rune) byte {
	switch {
	case r == '\n':
		return 'n'
	case syntax.IsWordChar(r):
		return 'w'
	}
	return 'o'
}

// runeInsts are the instructions that match a rune.
func (p *program) runeInsts() []uint32 {
	var pcs []uint32
	for pc := range p.inst {
		switch p.inst[pc].Op {
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			pcs = append(pcs, uint32(pc))
		default:
		}
	}
	return pcs
}

// intervals are the bounds of all ranges of runes that instructions match.
func (p *program) intervals() []rune {
	set := map[rune]bool{0: true}
	add := func(lo, hi rune) { set[lo], set[hi+1] = true, true }
	for _, r := range []string{"\n\n", "09", "AZ", "__", "az"} {
		add(rune(r[0]), rune(r[1]))
	}
	for _, pc := range p.runeInsts() {
		in := &p.inst[pc]
		for i := 0; i < len(in.Rune); i += 2 {
			lo, hi := in.Rune[i], in.Rune[min(i+1, len(in.Rune)-1)]
			if add(lo, hi); lo == hi && syntax.Flags(in.Arg)&syntax.FoldCase != 0 {
				for f := unicode.SimpleFold(lo); f != lo; f = unicode.SimpleFold(f) {
					add(f, f)
				}
			}
		}
	}
	bounds := make([]rune, 0, len(set))
	for r := range set {
		if r <= unicode.MaxRune {
			bounds = append(bounds, r)
		}
	}
	slices.Sort(bounds)
	return bounds
}

// class is the class of a rune.
func (p *program) class(r rune) uint16 {
	switch {
	case int(r) < len(p.low):
		return uint16(p.low[r])
	case r == utf8.RuneError:
		return p.broken
	}
	return p.find(r)
}

// find finds the class of a rune by its interval.
func (p *program) find(r rune) uint16 {
	i, ok := slices.BinarySearch(p.bounds, r)
	if !ok {
		i--
	}
	return p.classOf[i]
}
