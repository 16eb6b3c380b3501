package console

import (
	"bytes"
	"context"

	"github.com/gantry-ci/gantry/internal/terminal"
)

// Window is how far a match can reach back from where it was found, and the most of Match.Before: 64 KiB.
const Window = 64 << 10

// Match is what Expect found. Its texts are without carriage returns and terminal escapes.
type Match struct {
	Index      int               // of the pattern
	Text       string            // what it matched
	Before     string            // the text between the last match and this one, the last Window of it
	Groups     []string          // of its groups, from the first; "" for one that did not take part
	Named      map[string]string // of its groups that have a name; nil without any
	Start, End int64             // of Text in the record
	Line       int               // 1-based line of Start in the record
}

// Expect waits for the first match of pats after Offset, and moves Offset to its end.
//
// The match is decided at the end of the first line in which one ends, or at the end of the text received so far if the
// line is not complete, as with a prompt: the match that starts first wins, then the one of the lowest index, and
// repetitions match as much of that text as they can. At most lineLimit of the line after the match is waited for. When
// ctx ends it returns context.Cause(ctx), and when the stream ends an error of class infrastructure; the next Expect
// then begins at the same Offset.
func (s *Session) Expect(ctx context.Context, pats *Patterns) (Match, error) {
	return s.m.expect(ctx, pats)
}

// resolve finds the match in the text up to end that wins among the given patterns.
func (m *matcher) resolve(which []int32, end int64) (Match, bool, error) {
	x, err := m.window(max(m.pos, end-Window), end)
	if err != nil {
		return Match{Index: -1}, false, err
	}
	from := m.begins(which, x)
	best := Match{Index: -1}
	var at []int
	for _, i := range which {
		loc := m.pats.exprs[i].FindSubmatchIndex(x.text[from:])
		if loc != nil && (at == nil || loc[0] < at[0] || loc[0] == at[0] && int(i) < best.Index) {
			best.Index, at = int(i), loc
		}
	}
	if at == nil {
		return best, false, nil
	}
	for i := range at {
		if at[i] >= 0 {
			at[i] += from
		}
	}
	best.Text, best.Before = string(x.text[at[0]:at[1]]), string(x.text[:at[0]])
	best.Start, best.End = x.offset(at[0]), x.offset(at[1]-1)+1
	best.groups(m.pats.exprs[best.Index].SubexpNames(), x.text, at)
	best.Line = m.rec.lineAt(best.Start)
	return best, true, nil
}

// groups sets what the groups matched.
func (b *Match) groups(names []string, text []byte, at []int) {
	for g := 1; 2*g < len(at); g++ {
		value := ""
		if at[2*g] >= 0 {
			value = string(text[at[2*g]:at[2*g+1]])
		}
		b.Groups = append(b.Groups, value)
		if names[g] == "" {
			continue
		}
		if b.Named == nil {
			b.Named = map[string]string{}
		}
		b.Named[names[g]] = value
	}
}

// window is the clean text of a part of the record.
func (m *matcher) window(from, end int64) (*cleaned, error) {
	x, c := &cleaned{}, terminal.Escapes{}
	buf := make([]byte, min(end-from, Window))
	for from < end {
		n, err := m.rec.readAt(buf[:min(end-from, Window)], from)
		if err != nil {
			return nil, err
		}
		x.add(&c, buf[:n], from)
		from += int64(n)
	}
	return x, nil
}

// begins is where in the text a match may begin: at the start of a line, so that "^" and "\b" see what is before it.
func (m *matcher) begins(which []int32, x *cleaned) int {
	for _, i := range which {
		if m.pats.prog.whole[i] {
			return 0
		}
	}
	return bytes.LastIndexByte(x.text[:x.index(m.idle)], '\n') + 1
}
