package console

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/gantry-ci/gantry/internal/terminal"
)

// lineLimit is the most text after a match that is read before the match is decided.
const lineLimit = 4 << 10

// scanSize is how many bytes are scanned between two checks of ctx.
const scanSize = 4 << 10

// idleStep is how many bytes are scanned before the start of the text that regular expressions have to read is
// advanced.
const idleStep = 1 << 10

// automata is how many automata a session caches: steps wait for the same few sets of patterns again and again.
const automata = 4

// matcher is a position in the record, and how far the text after it has been scanned.
type matcher struct {
	rec   *record
	pos   int64 // where the next match may begin
	pats  *Patterns
	d     *dfa
	cache []cached

	seen  int64 // the automaton has read the record up to here
	at    uint32
	clean terminal.Escapes
	idle  int64   // no match that may still end has begun before here
	hits  []int32 // patterns of which a match has ended
	hitAt int64   // where the first of them ended

	buf    []byte // what was read last
	bufOff int64  // its offset in the record
}

// cached is the automaton of a set of patterns that was waited for.
type cached struct {
	pats *Patterns
	d    *dfa
}

// seek continues matching at off.
func (m *matcher) seek(off int64) {
	off = max(off, 0)
	m.pos, m.seen, m.idle, m.clean, m.hits = off, off, off, terminal.Escapes{}, m.hits[:0]
	if m.d != nil {
		m.at = m.d.begin()
	}
}

// use makes the matcher search for pats, from pos unless it was searching for them already.
func (m *matcher) use(pats *Patterns) {
	if m.pats == pats {
		return
	}
	m.pats, m.d = pats, nil
	for i, k := range m.cache {
		if k.pats == pats {
			m.d = k.d
			m.cache = append(append(m.cache[:i:i], m.cache[i+1:]...), k)
		}
	}
	if m.d == nil {
		m.d = newDFA(pats.prog)
		if m.cache = append(m.cache, cached{pats, m.d}); len(m.cache) > automata {
			m.cache = m.cache[1:]
		}
	}
	m.seek(m.pos)
}

// expect waits for a match.
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

// poll searches the bytes that have arrived; without a match, buf ends with the last of them.
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

// ahead is the first part of the bytes that have arrived after seen.
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

// scan runs the automaton over b, which begins at seen. It returns how many bytes it read, which leaves out an
// incomplete rune at the end, and whether it reached the end of a line in which a pattern matched.
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

// run runs the automaton over text in which nothing matches, and advances idle.
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
			m.d.idleIn(at)
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

// hit records that patterns have matched.
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

// decide returns the match in the text up to seen; atEnd says that no text has arrived after it.
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
	// The match began further back than Window: drop it, or the text would be searched again at each of its ends.
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
