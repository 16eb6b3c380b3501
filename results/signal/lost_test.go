package signal

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLostByName names lost records by the case that was started and whose result is the last of them.
func TestLostByName(t *testing.T) {
	for name, c := range map[string]struct{ lost, want string }{
		"a result":            {"4", "0_s/one=missing"},
		"its end, too":        {"3-4", "0_s/one=missing"},
		"of a second, too":    {"4-5", "0_s/records 4-5=missing 0_s/two=pass 0_s/one=missing"},
		"only an end":         {"3", "0_s/record 3=missing 0_s/one=pass"},
		"a start and an end":  {"2-3", "0_s/records 2-3=missing 0_s/one=pass"},
		"the start of a next": {"5", "0_s/one=pass 0_s/record 5=missing"},
	} {
		t.Run(name, func(t *testing.T) {
			g := &guest{}
			for _, s := range []string{
				"<LAVA_SIGNAL_STARTRUN 0_s 7_1>", "<LAVA_SIGNAL_STARTTC one>", "<LAVA_SIGNAL_ENDTC one>",
				"<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=one RESULT=pass>",
				"<LAVA_SIGNAL_STARTTC two>", "<LAVA_SIGNAL_ENDTC two>", "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=two RESULT=pass>",
				"<LAVA_SIGNAL_ENDRUN 0_s 7_1>",
			} {
				g.signal(s)
			}
			g.manifest()
			g.exit()
			var kept []string
			first, last, _ := strings.Cut(c.lost+"-"+c.lost, "-")
			if i := strings.LastIndex(last, "-"); i > 0 {
				last = last[:i]
			}
			lines := strings.SplitAfter(g.out.String(), "\r\n")
			for i, line := range lines {
				number := ""
				if i < 16 { // a signal and its trailer
					number = string(rune('1' + i/2))
				} else if rest, ok := strings.CutPrefix(line, RecordStart+"0."); ok {
					number = rest[:1]
				}
				if number == "" || number < first || number > last {
					kept = append(kept, line)
				}
			}
			items, sum := read(Options{Sequenced: true}, strings.Join(kept, ""), 100)
			want := c.want
			if !strings.Contains(want, "two=") {
				want += " 0_s/two=pass"
			}
			if diff := cmp.Diff(want, strings.Join(cases(items), " ")); diff != "" || sum.Complete() {
				t.Errorf("cases (-want +got):\n%s\nsummary %+v", diff, sum)
			}
		})
	}
}
