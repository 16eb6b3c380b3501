package signal

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// left is a run that has ended, and what a process that it left behind prints afterwards.
func left(h *History, late ...string) (printed, manifest string) {
	g := &guest{run: 1}
	g.signal("<LAVA_SIGNAL_STARTRUN 0_one 7_1.1>")
	g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RESULT=pass>")
	g.signal("<LAVA_SIGNAL_ENDRUN 0_one 7_1.1>")
	g.manifest()
	g.exit()
	p := New(Options{Sequenced: true, Run: 1, History: h}, func(Item) {})
	p.Feed([]byte(g.out.String()), time.Time{})
	p.Close()
	g.out.Reset()
	for _, s := range late {
		g.signal(s)
	}
	printed = g.out.String()
	g.manifest()
	g.exit()
	return printed, g.out.String()[len(printed):]
}

// TestLate has a process of an earlier run report while another goes on: no record is taken for one of the other run.
func TestLate(t *testing.T) {
	const (
		lateOne = "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=late RESULT=fail>"
		lateTwo = "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=later RESULT=pass>"
	)
	from := func(s, start string) string { _, rest, _ := strings.Cut(s, start); return start + rest }
	own := []string{"1_two||y1|pass", "1_two||y2|fail", "1_two||y3|pass"}
	for name, c := range map[string]struct {
		late   func(printed, list string) string
		signal []string
		want   []string // of the other run
	}{
		"two results": {
			func(s, _ string) string { return s },
			[]string{lateOne, lateTwo},
			[]string{"0_one||late|fail (late)", "0_one||later|pass (late)"},
		},
		"twice": {
			func(s, _ string) string { return s + s }, []string{lateOne}, []string{"0_one||late|fail (late)"},
		},
		"a runner that goes on": {
			func(s, l string) string { return s + l },
			[]string{"<LAVA_SIGNAL_STARTRUN 1_x 7_1.2>", lateOne},
			[]string{"1_x||late|fail (late)"},
		},
		"only in its manifest": {
			func(_, l string) string { return l }, []string{lateOne}, []string{"0_one||late|fail (late)"},
		},
		"one is lost": {
			func(s, _ string) string { return from(s, "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=later") },
			[]string{lateOne, lateTwo},
			[]string{"0_one||later|pass (late)", "0_one||record 4 of run 1|missing"},
		},
		"its signal is lost": {
			func(s, _ string) string { return from(s, "<GANTRY_TRAILER") },
			[]string{lateOne},
			[]string{"0_one||record 4 of run 1|missing"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for at := range 4 {
				h := &History{}
				printed, list := left(h, c.signal...)
				g := &guest{run: 2}
				say := func(n int) {
					if n == at {
						g.print(c.late(printed, list))
					}
				}
				g.signal("<LAVA_SIGNAL_STARTRUN 1_two 7_2.1>")
				for i, res := range []string{"pass", "fail", "pass"} {
					say(i)
					g.signal(fmt.Sprintf("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=y%d RESULT=%s>", i+1, res))
				}
				g.signal("<LAVA_SIGNAL_ENDRUN 1_two 7_2.1>")
				say(3)
				g.manifest()
				g.exit()
				items, sum := read(Options{Sequenced: true, Run: 2, History: h}, g.out.String(), 64)
				var mine, others []string
				for _, it := range items {
					switch {
					case it.Case == nil || it.Case.Suite == "lava":
					case it.Case.Suite == "1_two":
						mine = append(mine, show(it.Case))
					case it.Case.Note != "":
						others = append(others, show(it.Case)+" ("+it.Case.Note+")")
					default:
						others = append(others, show(it.Case))
					}
				}
				if diff := cmp.Diff(own, mine); diff != "" {
					t.Errorf("at %d: its own cases (-want +got):\n%s", at, diff)
				}
				if diff := cmp.Diff(c.want, others); diff != "" {
					t.Errorf("at %d: cases of the other run (-want +got):\n%s", at, diff)
				}
				if lost := strings.Contains(strings.Join(c.want, " "), "missing"); sum.Complete() == lost || !sum.Exit {
					t.Errorf("at %d: summary %+v", at, sum)
				}
			}
		})
	}
}

// TestConflict has two signals, both undamaged, with one number: that is never silent.
func TestConflict(t *testing.T) {
	one, two := &guest{}, &guest{}
	for _, g := range []*guest{one, two} {
		g.signal("<LAVA_SIGNAL_STARTRUN 0_one 7_1.1>")
	}
	before := one.out.Len()
	one.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RESULT=pass>")
	other := one.out.String()[before:]
	two.print(other)
	two.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=b RESULT=fail>")
	two.signal("<LAVA_SIGNAL_ENDRUN 0_one 7_1.1>")
	two.manifest()
	two.exit()
	items, sum := read(Options{Sequenced: true}, two.out.String(), 64)
	if sum.Complete() || !strings.Contains(strings.Join(cases(items), " "), "0_one/record 2 of run 0=missing") {
		t.Errorf("cases %q, summary %+v", cases(items), sum)
	}
}
