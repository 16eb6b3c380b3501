package console

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/gantry-ci/gantry/internal/terminal"
)

// lineLimit is the most text after a match's end that is looked at before deciding.
const lineLimit = 4 << 10

// scanSize is how much is scanned between two looks at ctx.
const scanSize = 4 << 10

// idleStep is how often it is noted that no match has begun: what regular expressions look at needlessly.
const idleStep = 1 << 10

// automata is how many automata a session keeps: steps wait for the same few sets of patterns again and again.
const automata = 4

// matcher is a place in the record, and how far from there the text has been looked at.
type matcher struct {
	rec  *record
	pos  int64 // matching goes on here
	pats *Patterns
	d    *dfa
	kept []kept

	seen  int64 // the automaton has gone so far
	at    uint32
	clean terminal.Escapes
	idle  int64   // before here no match has begun that may still end
	hits  []int32 // patterns of which a match has ended
	hitAt int64   // where the first did

	buf    []byte // what was read last
	bufOff int64  // where it lies
}

type kept struct {
	pats *Patterns
	d    *dfa
}

// seek makes matching go on at off.
func (m *matcher) seek(off int64) {
	off = max(off, 0)
	m.pos, m.seen, m.idle, m.clean, m.hits = off, off, off, terminal.Escapes{}, m.hits[:0]
	if m.d != nil {
		m.at = m.d.begin()
	}
}

// use makes the matcher look for pats, from pos unless it was looking for them already.
func (m *matcher) use(pats *Patterns) {
	if m.pats == pats {
		return
	}
	m.pats, m.d = pats, nil
	for i, k := range m.kept {
		if k.pats == pats {
			m.d = k.d
			m.kept = append(append(m.kept[:i:i], m.kept[i+1:]...), k)
		}
	}
	if m.d == nil {
		m.d = newDFA(pats.prog)
		if m.kept = append(m.kept, kept{pats, m.d}); len(m.kept) > automata {
			m.kept = m.kept[1:]
		}
	}
	m.seek(m.pos)
}

func (m *matcher) expect(ctx context.Context, pats *Patterns) (Match, error) {
	m.use(pats)
	for {
		match, ok, err := m.poll(ctx)
		if ok || err != nil {
			return match, err
		}
		if err := m.rec.wait(ctx, m.bufOff+int64(len(m.buf))); err != nil {
			return Match{Index: -1}, err
		}
	}
}

// poll looks at what has arrived; then buf ends there.
func (m *matcher) poll(ctx context.Context) (match Match, ok bool, err error) {
	for {
		if ctx.Err() != nil {
			return Match{Index: -1}, false, context.Cause(ctx)
		}
		b, err := m.ahead()
		if err != nil {
			return Match{Index: -1}, false, err
		}
		n, decide := m.scan(b[:min(len(b), scanSize)])
		m.seen += int64(n)
		if n > 0 && !decide {
			continue
		}
		match, ok, err := m.decide(len(b) == 0)
		if ok || err != nil || n == 0 {
			return match, ok, err
		}
	}
}

// ahead is what has arrived at seen, or the first part of it.
func (m *matcher) ahead() ([]byte, error) {
	skip := m.seen - m.bufOff
	if skip >= 0 && skip+utf8.UTFMax <= int64(len(m.buf)) {
		return m.buf[skip:], nil
	}
	if m.buf == nil {
		m.buf = make([]byte, cursorBuffer)
	}
	n, err := m.rec.readAt(m.buf[:cap(m.buf)], m.seen)
	m.buf, m.bufOff = m.buf[:n], m.seen
	return m.buf, err
}

// scan goes over b, which lies at seen. It returns how far it came, which is not over an incomplete rune at the end,
// and whether the end of the line in which a pattern matched is reached.
func (m *matcher) scan(b []byte) (n int, decide bool) {
	for i := 0; ; {
		if len(m.hits) == 0 && !m.clean.Inside() {
			i += m.run(b[i:], m.seen+int64(i))
		}
		if i == len(b) {
			return i, false
		}
		if c := b[i]; (m.clean.Inside() || c == terminal.ESC || c == '\r') && m.clean.Drop(c) {
			i++
			continue
		}
		if b[i] >= utf8.RuneSelf && !utf8.FullRune(b[i:]) {
			return i, false
		}
		class, width := m.class(b[i:])
		line := b[i] == '\n'
		i += width
		if m.at = m.d.step(m.at, class); m.at >= hit {
			m.hit(m.d.state(m.at).matched, m.seen+int64(i))
			m.at &^= hit
		}
		if len(m.hits) > 0 && (line || m.seen+int64(i) > m.hitAt+lineLimit) {
			return i, true
		}
	}
}

// run goes over text in which nothing is found, and notes where no match has begun.
func (m *matcher) run(b []byte, off int64) int {
	for n := 0; ; {
		end := min(len(b), n+idleStep)
		at, k := m.d.run(m.at, b[n:end])
		n, m.at = n+k, at
		if n < end {
			return n
		}
		if m.d.state(at).idle {
			m.idle = off + int64(n)
			m.d.resting(at)
		}
		if n == len(b) {
			return n
		}
	}
}

// class is the class of the first rune of b, and its width.
func (m *matcher) class(b []byte) (class uint16, width int) {
	if b[0] < utf8.RuneSelf && b[0] != '\r' && b[0] != terminal.ESC {
		return uint16(m.pats.prog.bytes[b[0]]), 1
	}
	r, width := utf8.DecodeRune(b)
	return m.pats.prog.class(r), width
}

// hit notes that patterns have matched.
func (m *matcher) hit(which []int32, at int64) {
	if len(m.hits) == 0 {
		m.hitAt = at
	}
	for _, i := range which {
		if !slices.Contains(m.hits, i) {
			m.hits = append(m.hits, i)
		}
	}
}

// decide says what matched up to seen; atEnd says that no text has arrived after it.
func (m *matcher) decide(atEnd bool) (Match, bool, error) {
	if atEnd {
		m.hit(m.d.ending(m.at), m.seen)
	}
	if len(m.hits) == 0 {
		return Match{Index: -1}, false, nil
	}
	match, ok, err := m.resolve(m.hits, m.seen)
	m.hits = m.hits[:0]
	if err != nil {
		return match, false, err
	}
	if ok {
		m.seek(match.End)
		return match, true, nil
	}
	// What began the match is further back than Window: forget it, or its every end would be looked at again.
	at := m.d.begin()
	if x, err := m.window(max(m.pos, m.seen-Window), m.seen); err == nil {
		for i := 0; i < len(x.text); {
			class, width := m.class(x.text[i:])
			at = m.d.step(at, class)
			i += width
		}
	}
	m.at = at &^ hit
	return match, false, nil
}
