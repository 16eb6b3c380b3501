package console

import (
	"context"
)

// Window is how far a match can reach back from where it was found, and the most of Match.Before: 64 KiB.
const Window = 64 << 10

// Match is what Expect found. Its texts are without carriage returns and terminal escapes.
type Match struct {
	Index      int               // of the pattern
	Text       string            // what it matched
	Before     string            // the text before it, from where matching went on, at most Window
	Groups     []string          // of its groups, from the first; "" where one took no part
	Named      map[string]string // of its groups that have a name; nil without any
	Start, End int64             // of Text in the record
	Line       int               // 1-based line of Start in the record
}

// Expect waits for the first match of pats after Offset, and moves Offset to its end. Of several the one that starts
// first wins, then that of the lowest index. When ctx ends it returns context.Cause(ctx), and when the stream ends a
// failure of class infrastructure; matching then goes on where it was.
func (s *Session) Expect(ctx context.Context, pats *Patterns) (Match, error) {
	return s.m.expect(ctx, pats)
}

// matcher is a place in the record.
type matcher struct {
	rec *record
	pos int64 // matching goes on here
	buf []byte
}

func (m *matcher) seek(off int64) { m.pos = off }

func (m *matcher) expect(ctx context.Context, pats *Patterns) (Match, error) {
	for seen := m.pos; ; {
		if err := m.rec.wait(ctx, seen); err != nil {
			return Match{Index: -1}, err
		}
		seen = m.rec.size()
		found, ok, err := m.resolve(pats, seen)
		if ok || err != nil {
			return found, err
		}
	}
}

// resolve looks for the winning match among the text up to end.
func (m *matcher) resolve(pats *Patterns, end int64) (Match, bool, error) {
	x, err := m.window(max(m.pos, end-Window), end)
	if err != nil {
		return Match{Index: -1}, false, err
	}
	best := Match{Index: -1}
	var at []int
	for i, re := range pats.exprs {
		if loc := re.FindSubmatchIndex(x.text); loc != nil && (at == nil || loc[0] < at[0]) {
			best.Index, at = i, loc
		}
	}
	if at == nil {
		return best, false, nil
	}
	best.Text, best.Before = string(x.text[at[0]:at[1]]), string(x.text[:at[0]])
	best.Start, best.End = x.start(at[0]), x.end(at[1])
	names := pats.exprs[best.Index].SubexpNames()
	for g := 1; 2*g < len(at); g++ {
		value := ""
		if at[2*g] >= 0 {
			value = string(x.text[at[2*g]:at[2*g+1]])
		}
		best.Groups = append(best.Groups, value)
		if names[g] != "" {
			if best.Named == nil {
				best.Named = map[string]string{}
			}
			best.Named[names[g]] = value
		}
	}
	best.Line = m.rec.lineAt(best.Start)
	m.pos = best.End
	return best, true, nil
}

// window is the clean text of a part of the record.
func (m *matcher) window(from, end int64) (*cleaned, error) {
	if m.buf == nil {
		m.buf = make([]byte, Window)
	}
	x, c := &cleaned{}, cleaner{}
	for from < end {
		n, err := m.rec.readAt(m.buf[:min(end-from, Window)], from)
		if err != nil {
			return nil, err
		}
		x.add(&c, m.buf[:n], from)
		from += int64(n)
	}
	return x, nil
}
