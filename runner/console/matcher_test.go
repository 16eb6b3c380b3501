package console

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gantry-ci/gantry/internal/terminal"
)

// fed is a record that a test fills by itself.
func fed(t testing.TB) *record {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "console.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	c, err := New(&nothing{make(chan struct{})}, f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.rec
}

// nothing is a stream that says nothing.
type nothing struct{ closed chan struct{} }

func (n *nothing) Read([]byte) (int, error)  { <-n.closed; return 0, os.ErrClosed }
func (*nothing) Write(b []byte) (int, error) { return len(b), nil }
func (n *nothing) Close() error              { close(n.closed); return nil }

// feed is what the reader does with what it has read.
func (r *record) feed(b []byte) {
	for len(b) > 0 {
		n := copy(r.reserve(), b)
		r.commit(n, nil)
		b = b[n:]
	}
}

// reference is Expect's contract, slowly: at each place where it may be decided, all expressions on all of the text.
type reference struct {
	exprs []*regexp.Regexp
	text  []byte
	pos   int
}

// find is the match that wins in what has arrived.
func (r *reference) find() (index, start, end int) {
	for at := r.pos; ; at++ {
		if line := bytes.IndexByte(r.text[at:], '\n'); line >= 0 {
			at += line
		} else {
			at = len(r.text)
		}
		index, start, end = -1, 0, 0
		for i, re := range r.exprs {
			loc := re.FindIndex(r.text[r.pos:min(at+1, len(r.text))])
			if loc != nil && (index < 0 || r.pos+loc[0] < start) {
				index, start, end = i, r.pos+loc[0], r.pos+loc[1]
			}
		}
		if index >= 0 {
			r.pos = end
			return index, start, end
		}
		if at >= len(r.text) {
			return -1, 0, 0
		}
	}
}

func plainText(s string) string {
	s = regexp.MustCompile(`\x1b\[[0-9;]*m|\r`).ReplaceAllString(s, "")
	return s
}

func TestMatchesAreTheReferences(t *testing.T) {
	atom := rapid.SampledFrom([]string{
		"a", "b", "ab", "#", "# ", "é", "日", ".", ".*", ".*?", "a+", "[ab]+", "[^a]", "(a|b)", `\d+`, `\w`, "a$", "^a", "^b",
		`\bab`, `b\b`,
		"(?i)AB", "(?:ab)?", "\n", " ", "login: ", "x{2,3}", `\W`,
	})
	piece := rapid.SampledFrom([]string{
		"a", "b", "ab", "#", "# ", "é", "日", "\n", "\r\n", "\r", "\x1b[0;1m", "\x1b[m", " ", "1", "23", "login: ", "xx", "x",
		"\xff", "A", "B", ",",
	})
	rapid.Check(t, func(t2 *rapid.T) {
		var p *Patterns
		for p == nil {
			var sources []string
			for range rapid.IntRange(1, 4).Draw(t2, "patterns") {
				sources = append(sources, strings.Join(rapid.SliceOfN(atom, 1, 4).Draw(t2, "pattern"), ""))
			}
			p, _ = Compile(sources...)
		}
		rec := fed(t)
		m := matcher{rec: rec}
		m.use(p)
		if rapid.Bool().Draw(t2, "pairs") {
			m.d.pair(m.d.step(m.d.begin(), p.prog.class(',')) &^ hit)
		}
		ref := reference{exprs: p.exprs}
		for _, pieces := range rapid.SliceOfN(rapid.SliceOfN(piece, 1, 8), 1, 12).Draw(t2, "arrivals") {
			raw := strings.Join(pieces, "")
			rec.feed([]byte(raw))
			ref.text = append(ref.text, plainText(raw)...)
			for {
				before := ref.pos
				index, start, end := ref.find()
				got, ok, err := m.poll(t.Context())
				if err != nil {
					t2.Fatal(err)
				}
				if ok != (index >= 0) || got.Index != index {
					t2.Fatalf("%q in %q from %d: pattern %d, want %d", p.sources, ref.text, before, got.Index, index)
				}
				if !ok {
					break
				}
				if want := string(ref.text[start:end]); got.Text != want || got.Before != string(ref.text[before:start]) {
					t2.Fatalf("%q in %q from %d: %q after %q, want %q", p.sources, ref.text, before, got.Text, got.Before, want)
				}
			}
		}
	})
}

// TestChunks feeds one text a byte at a time, in runes, lines and as a whole: patterns whose end is definite match the
// same.
func TestChunks(t *testing.T) {
	const stream = "U-Boot 2024\r\nHit any key: \x1b[1m 3\x1b[0m\n=> boot\r\nÄrger\ngantry login: root\r\n" +
		"root@gantry:~# echo é\r\né\r\nroot@gantry:~# "
	p := compileT(t, `Hit any key:\s+\d`, `=> `, `(\w+) login: `, `root@(\w+):[^ ]*# `, "Ärger\n", "^é$\n")
	var want []string
	for _, size := range []int{len(stream), 1, 2, 3, 5, 7, 11, 64} {
		rec := fed(t)
		m := matcher{rec: rec}
		m.use(p)
		var got []string
		for at := 0; at < len(stream); at += size {
			rec.feed([]byte(stream[at:min(at+size, len(stream))]))
			for {
				match, ok, err := m.poll(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					break
				}
				got = append(
					got,
					fmt.Sprintf(
						"%d %q %q line %d at %d-%d", match.Index, match.Text, match.Groups, match.Line, match.Start, match.End,
					),
				)
			}
		}
		if want == nil {
			want = got
			t.Log(strings.Join(want, "\n"))
		}
		if d := cmp.Diff(want, got); d != "" || len(got) != 7 {
			t.Errorf("pieces of %d bytes:\n%s", size, d)
		}
	}
}

// TestCleanPlaces checks that offsets of the text are those of the record.
func TestCleanPlaces(t *testing.T) {
	const raw = "a\r\nb\x1b[1;31mc\x1b]0;title\x07d\x1b(Be\x1bPq\x1b\\f\x1bcg\x1b[9\nh\r"
	var x cleaned
	x.add(&terminal.Escapes{}, []byte(raw), 100)
	if string(x.text) != "a\nbcdefg\nh" {
		t.Fatalf("text %q", x.text)
	}
	for i := range x.text {
		if at := x.offset(i) - 100; raw[at] != x.text[i] {
			t.Errorf("byte %d, %q, is said to be at %d: %q", i, x.text[i], at, raw[at])
		}
	}
	if !utf8.Valid(x.text) {
		t.Error("not UTF-8")
	}
}

// TestManyStates waits for patterns whose automaton has more states than are kept.
func TestManyStates(t *testing.T) {
	rec := fed(t)
	m := matcher{rec: rec}
	m.use(compileT(t, "[ab]*a[ab]{400}c", "zzz"))
	text := make([]byte, 0, 1<<19)
	for x := uint32(1); len(text) < 40_000; {
		x = x*1664525 + 1013904223
		text = append(text, "ab"[x>>31])
	}
	rec.feed(text)
	if _, ok, err := m.poll(t.Context()); ok || err != nil {
		t.Fatal(ok, err)
	}
	if m.d.born < 2 {
		t.Errorf("states were forgotten %d times", m.d.born)
	}
	rec.feed([]byte("c"))
	if got, ok, err := m.poll(t.Context()); !ok || got.Index != 0 {
		t.Errorf("match %v, error %v", ok, err)
	}
}

// TestWindow has a match whose begin is too far back, and one that is not.
func TestWindow(t *testing.T) {
	rec := fed(t)
	m := matcher{rec: rec}
	m.use(compileT(t, "begin.*end"))
	rec.feed([]byte("begin" + strings.Repeat("x", Window) + "end\n"))
	if _, ok, err := m.poll(t.Context()); ok || err != nil {
		t.Fatal(ok, err)
	}
	rec.feed([]byte("end\nbegin" + strings.Repeat("x", Window-100) + "end\n"))
	got, ok, err := m.poll(t.Context())
	if !ok || err != nil || len(got.Text) != Window-100+8 || got.Line != 3 {
		t.Errorf("match %v of %d bytes in line %d, error %v", ok, len(got.Text), got.Line, err)
	}
}

func TestCompileRefuses(t *testing.T) {
	for source, want := range map[string]string{
		"":                       "empty text",
		"a*":                     "empty text",
		"$":                      "empty text",
		`\r`:                     "empty text",
		"(?=a)b":                 "invalid or unsupported Perl syntax",
		`(a)\1`:                  "invalid escape sequence",
		"a++":                    "invalid nested repetition operator",
		"(":                      "missing closing )",
		"\x1b#":                  "terminal escape",
		"(((a{100}){100}){100})": "invalid repeat count",
		"((a{100}){9}b){1}(c{999})+(d{999})(e{999})" + strings.Repeat("(f{999})", 20): "more than 20000 steps",
		strings.Repeat("a", 5000): "limit is 4096",
	} {
		if _, err := Compile(source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error %v, want %q", source, err, want)
		}
	}
	many := slices.Repeat([]string{strings.Repeat(`[\pL\pN\pS]?a`, 300)}, 8)
	if _, err := Compile(many...); err == nil || !strings.Contains(err.Error(), "too many classes") {
		t.Errorf("many classes: error %v", err)
	}
	for _, source := range []string{`a\Z`, `\\Za`, "(?P<n>a)", "(?i)login:", "a\r\nb", "[\r\n]#", `[[:space:]]x`} {
		if _, err := Compile(source); err != nil {
			t.Errorf("%q: %v", source, err)
		}
	}
}
