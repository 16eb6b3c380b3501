package signal

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gantry-ci/gantry/results"
)

var (
	cuts = flag.Int("cuts", 3000, "how many times TestTorture cuts into output")
	seed = flag.Uint64("seed", 1, "where TestTorture begins")
)

// pick draws a number below n.
type pick func(n int) int

// script is what a stage printed, and what it means.
type script struct {
	out     string
	list    string   // the manifest
	truth   []string // cases, as show prints them
	runs    []string
	late    []string // what a process of an earlier run reported, in order
	history *History // that knows that run
	raw     []string // cases that the test printed by itself
	raws    bool     // some were
	harsh   bool     // it was cut so that a signal without a checksum may have become another
}

func show(c *results.Case) string {
	s := c.Suite + "|"
	if c.Set != nil {
		s += *c.Set
	}
	s += "|" + c.Case + "|" + c.Result
	if c.Measurement != nil {
		s += fmt.Sprintf("|%g", *c.Measurement)
	}
	if c.Units != nil {
		s += "|" + *c.Units
	}
	return s
}

// loose leaves out what a note says is uncertain.
func loose(shown, note string) string {
	suite, rest, _ := strings.Cut(shown, "|")
	_, rest, _ = strings.Cut(rest, "|")
	switch {
	case strings.Contains(note, NoteUnsureSuite):
		return rest
	case strings.Contains(note, NoteUnsureSet):
		return suite + "|" + rest
	}
	return shown
}

var words = []string{"boot", "mem-test", "a", "net/ping", "überlauf", "two words", "x>y", "LAVA_SIGNAL", "dd_1M", "t.1"}

// write makes up a stage.
func write(n pick) *script {
	s, g := &script{raws: n(3) == 0, history: &History{}}, &guest{run: 2}
	leave := s.leave(n)
	for i := range 1 + n(3) {
		g.kernel = n(4) == 0 // lava-signal: kmsg
		name := fmt.Sprintf("%d_%s", i, strings.ReplaceAll(words[n(3)], "/", "-"))
		s.runs = append(s.runs, name)
		g.signal("<LAVA_SIGNAL_STARTRUN " + name + " 7_1.1.3." + fmt.Sprint(i) + ">")
		set := ""
		for range n(12) {
			if n(5) == 0 {
				if set == "" {
					set = words[n(len(words))]
					g.signal("<LAVA_SIGNAL_TESTSET START " + set + ">")
				} else {
					set = ""
					g.signal("<LAVA_SIGNAL_TESTSET STOP>")
				}
			}
			g.print(leave())
			s.truth = append(s.truth, name+"|"+set+"|"+s.result(n, g))
		}
		g.signal("<LAVA_SIGNAL_ENDRUN " + name + " 7_1.1.3." + fmt.Sprint(i) + ">")
	}
	g.kernel = false
	g.print(leave())
	before := g.out.Len()
	g.manifest()
	s.list = g.out.String()[before:]
	g.exit()
	s.out = g.out.String()
	return s
}

// leave makes up what a process of an earlier run prints, a part at each call.
func (s *script) leave(n pick) func() string {
	var late []string
	for i := range n(3) * n(3) {
		late = append(late, fmt.Sprintf("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=%s%d RESULT=fail>", words[n(len(words))], i))
		s.late = append(
			s.late,
			"0_one||"+strings.TrimSuffix(
				strings.TrimPrefix(late[i], "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID="), " RESULT=fail>",
			)+"|fail",
		)
	}
	printed, list := left(s.history, late...)
	parts := slices.Collect(strings.SplitAfterSeq(printed, "\r\n"))
	if len(late) > 0 && n(3) == 0 { // it is the runner itself, which goes on
		parts = append(parts, list)
	}
	return func() (part string) {
		for len(parts) > 1 && n(3) == 0 {
			part, parts = part+parts[0]+parts[1], parts[2:]
		}
		return part
	}
}

// checkLate says what is wrong with the results of the earlier run: each counts once, and one that is lost is known to
// be lost, unless it is the last that is seen at all.
func (s *script) checkLate(got []string, complete bool) error {
	left, last := slices.Clone(s.late), -1
	for _, c := range got {
		last = max(last, slices.Index(s.late, c))
		i := slices.Index(left, c)
		if i < 0 {
			return fmt.Errorf("%q of an earlier run is invented, or counted twice", c)
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, c := range left {
		if complete && slices.Index(s.late, c) < last {
			return fmt.Errorf("lost in silence: %q of an earlier run", c)
		}
	}
	return nil
}

// result prints one case.
func (s *script) result(n pick, g *guest) string {
	id := fmt.Sprintf("%s%d", words[n(len(words))], n(6))
	res := []string{"pass", "fail", "skip", "unknown"}[n(4)]
	switch n(4) {
	case 0:
		g.print("+ lava-test-case " + id + " --shell true\r\n")
		g.signal("<LAVA_SIGNAL_STARTTC " + id + ">")
		g.print(noise[n(len(noise))])
		g.signal("<LAVA_SIGNAL_ENDTC " + id + ">")
	case 1:
		m := fmt.Sprintf("%d.5", n(1000))
		g.print(fmt.Sprintf("[ %4d.%06d] usb 1-1: new device\r\n", n(9999), n(999999)))
		g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=" + id + " RESULT=" + res + " UNITS=m/s MEASUREMENT=" + m + ">")
		return id + "|" + res + "|" + m + "|m/s"
	case 2:
		if s.raws && !strings.Contains(id, ">") {
			raw := fmt.Sprintf("raw%d%s", len(s.raw), id)
			s.raw = append(s.raw, raw)
			g.print("+ echo '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=" + raw + " RESULT=pass>'\r\n")
			g.print("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=" + raw + " RESULT=pass>\r\n")
		}
	}
	g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=" + id + " RESULT=" + res + ">")
	return id + "|" + res
}

var noise = []string{
	"", "ok\r\n", "PING 10.0.0.1: 56 data bytes\r\n", "<html><body>\r\n", "no newline at the end",
	"\x1b[1;31mred\x1b[0m\r\n",
	"progress 1%\rprogress 2%\rprogress 100%\r\n",
}

// outcome counts what happened to stages.
type outcome struct{ stages, cuts, cases, found, incomplete, whole, asked, reassembled, recovered int }

// check parses the output and says what is wrong with the result.
func (s *script) check(n pick, o *outcome) error {
	var got, raw, late []string
	var all []results.Case
	ended := map[string]string{}
	var defs []Definition
	for _, r := range s.runs {
		defs = append(defs, Definition{Run: r})
	}
	p := New(Options{Sequenced: true, Definitions: defs, Run: 2, History: s.history}, func(it Item) {
		switch c := it.Case; {
		case c == nil:
		case c.Suite == results.PipelineSuite:
			ended[c.Case] = c.Result
		case c.Result != results.Missing && strings.Contains(c.Note, NoteUnsequenced):
			raw = append(raw, c.Case)
			all = append(all, *c)
		case strings.Contains(c.Note, NoteLate):
			late = append(late, show(c))
			all = append(all, *c)
		case c.Result != results.Missing:
			got = append(got, show(c)+"!"+c.Note)
			all = append(all, *c)
		default:
			all = append(all, *c)
		}
	})
	for rest := []byte(unmarked(s.out)); len(rest) > 0; {
		k := min(len(rest), 1+n(400))
		p.Feed(rest[:k], time.Time{})
		rest = rest[k:]
	}
	asked := p.Incomplete() && n(2) == 0
	if asked {
		// As the runner does. The shell's prompt may be on the line.
		p.Feed([]byte("# "+s.list), time.Time{})
		o.asked++
	}
	sum := p.Close()
	o.stages, o.cases, o.found = o.stages+1, o.cases+len(s.truth), o.found+len(got)
	o.reassembled, o.recovered = o.reassembled+sum.Reassembled, o.recovered+sum.Recovered
	want := slices.Clone(s.truth)
	for _, c := range got {
		c, note, _ := strings.Cut(c, "!")
		i := slices.IndexFunc(want, func(w string) bool { return w == c || loose(w, note) == loose(c, note) })
		if i < 0 {
			return fmt.Errorf("%q is invented, or counted twice", c)
		}
		want = slices.Delete(want, i, i+1)
	}
	raw = slices.DeleteFunc(raw, func(id string) bool {
		// One whose trailer is damaged beyond recognition is like a test's own, and no manifest tells better.
		of := "0_one||" + id + "|fail"
		if !slices.Contains(s.late, of) {
			return false
		}
		late = append(late, of)
		return true
	})
	if err := s.checkRaw(raw, sum.Complete()); err != nil {
		return err
	}
	if err := s.checkLate(late, sum.Complete()); err != nil {
		return err
	}
	for name, res := range ended {
		if !slices.Contains(s.runs, name) || res == results.Fail {
			return fmt.Errorf("run %q is %s", name, res)
		}
	}
	if asked && len(want) > 0 {
		return fmt.Errorf("lost though the manifest was repeated: %q", want)
	}
	if !sum.Complete() {
		o.incomplete++
		if len(want) == 0 {
			o.whole++
		}
		if v := results.Decide(sum.Err(), all); v.Complete || v.Verdict == results.VerdictPass {
			return fmt.Errorf("incomplete, and the verdict is %+v", v)
		}
		return nil
	}
	if len(want) > 0 {
		return fmt.Errorf("lost in silence: %q", want)
	}
	return nil
}

// checkRaw says what is wrong with the signals that the test printed by itself.
func (s *script) checkRaw(got []string, complete bool) error {
	if s.harsh {
		return nil
	}
	left := slices.Clone(s.raw)
	for _, id := range got {
		i := slices.Index(left, id)
		if i < 0 {
			return fmt.Errorf("%q, which the test printed by itself, is invented, or counted twice", id)
		}
		left = slices.Delete(left, i, i+1)
	}
	if complete && len(left) > 0 {
		return fmt.Errorf("lost in silence: %q, which the test printed by itself", left)
	}
	return nil
}

// TestTorture cuts into the output of made-up stages: every result is found or reported missing, none is invented or
// counted twice, and an incomplete stage never passes.
func TestTorture(t *testing.T) {
	var o outcome
	for i := *seed; o.cuts < *cuts; i++ {
		r := rand.New(rand.NewPCG(i, 0))
		s := write(r.IntN)
		intact := s.out
		var done []int
		most := kinds
		if r.IntN(2) == 0 {
			most = gentle
		}
		for range r.IntN(8) {
			kind := r.IntN(most)
			s.harsh = s.harsh || kind >= gentle
			done = append(done, kind)
			s.cut(r.IntN, kind)
		}
		o.cuts += len(done)
		if err := s.check(r.IntN, &o); err != nil {
			t.Logf("--- intact:\n%s\n--- cut:\n%s", intact, unmarked(s.out))
			t.Fatalf("seed %d, cuts %v: %v", i, done, err)
		}
	}
	t.Logf("%+v", o)
}

func TestTortureProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "n") }
		s := write(n)
		for range n(6) {
			kind := n(kinds)
			s.harsh = s.harsh || kind >= gentle
			s.cut(n, kind)
		}
		if err := s.check(n, &outcome{}); err != nil {
			t.Fatalf("%v\n%s", err, s.out)
		}
	})
}
