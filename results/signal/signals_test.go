package signal

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/results"
)

// said is what an item says, in a word.
func said(it Item) string {
	switch {
	case it.StartRun != nil:
		return "start run " + it.StartRun.Name + " " + it.StartRun.UUID
	case it.EndRun != nil:
		return fmt.Sprintf("end run %s early=%t status=%d", it.EndRun.Name, it.EndRun.Early, it.EndRun.Status)
	case it.Case != nil:
		c := it.Case
		s := "case " + show(c)
		if c.Reference != nil {
			s += " " + *c.Reference
		}
		if c.Note != "" {
			s += " (" + c.Note + ")"
		}
		return s
	case it.Request != nil:
		return "request " + it.Request.Kind + " " + strings.Join(it.Request.Args, ",")
	case it.InstallFail:
		return "install fail"
	case it.Manifest:
		return "manifest"
	case it.Exit:
		return "exit"
	}
	return strings.TrimSpace(fmt.Sprintf(
		"%s %s %s %s %s %s %s", it.StartCase, it.EndCase, it.StartSet, it.EndSet, it.Raise, it.Feedback, it.Event,
	))
}

func saying(items []Item) []string {
	var all []string
	for _, it := range items {
		all = append(all, said(it))
	}
	return all
}

func TestEverySignal(t *testing.T) {
	g := &guest{}
	for _, s := range []string{
		"<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>",
		"<LAVA_SIGNAL_STARTTC one>",
		"<LAVA_SIGNAL_ENDTC one>",
		"<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=one RESULT=pass UNITS=ms MEASUREMENT=3.5>",
		"<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=odd RESULT=bogus MEASUREMENT=nan>",
		"<LAVA_SIGNAL_TESTSET START set>",
		"<LAVA_SIGNAL_TESTREFERENCE ref pass http://host/a?b=c>",
		"<LAVA_SIGNAL_TESTSET STOP>",
		"<LAVA_SIGNAL_TESTFEEDBACK other>",
		"<LAVA_SIGNAL_TESTEVENT something happened>",
		"<LAVA_MULTI_NODE> <LAVA_SEND ready ip=10.0.0.1 mac=52:54>",
		"<LAVA_MULTI_NODE> <LAVA_SYNC all>",
		"<LAVA_MULTI_NODE> <LAVA_WAIT ready>",
		"<LAVA_MULTI_NODE> <LAVA_WAIT_ALL ready server>",
		"<LAVA_SIGNAL_STARTTC hangs>",
		"<GANTRY_SIGNAL RUNEXIT 0_smoke 2>",
		"<LAVA_TEST_RUNNER INSTALL_FAIL>",
		"<LAVA_SIGNAL_TESTRAISE it makes no sense>",
	} {
		g.signal(s)
	}
	g.manifest()
	g.exit()
	items, sum := read(Options{Sequenced: true}, g.out.String(), 64)
	want := []string{
		"start run 0_smoke 7_1.1.3.1", "one", "one", "case 0_smoke||one|pass|3.5|ms", "case 0_smoke||odd|unknown", "set",
		"case 0_smoke|set|ref|pass http://host/a?b=c", "set", "other", "something happened",
		"request LAVA_SEND ready,ip=10.0.0.1,mac=52:54", "request LAVA_SYNC all", "request LAVA_WAIT ready",
		"request LAVA_WAIT_ALL ready,server", "hangs", "case 0_smoke||hangs|missing", "end run 0_smoke early=true status=2",
		"case lava||0_smoke|fail", "install fail", "it makes no sense", "manifest", "exit",
	}
	if diff := cmp.Diff(want, saying(items)); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	if !sum.InstallFail || sum.Raise != "it makes no sense" || results.ClassOf(sum.Err()) != results.ClassTest {
		t.Errorf("summary %+v", sum)
	}
}

func TestExpected(t *testing.T) {
	g := &guest{}
	g.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
	g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=wanted RESULT=pass>")
	g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=stray RESULT=pass>")
	g.signal("<LAVA_SIGNAL_ENDRUN 0_smoke 7_1.1.3.1>")
	g.manifest()
	g.exit()
	defs := []Definition{
		{Run: "0_smoke", Expected: []string{"wanted", "absent"}}, {Run: "1_never", Expected: []string{"more"}},
	}
	items, sum := read(Options{Sequenced: true, Definitions: defs}, g.out.String(), 100)
	want := []string{"0_smoke/wanted=pass", "0_smoke/stray=fail", "0_smoke/absent=missing", "1_never/more=missing"}
	if diff := cmp.Diff(want, cases(items)); diff != "" || sum.Complete() || sum.Missing != 3 {
		t.Errorf("cases (-want +got):\n%s\nsummary %+v", diff, sum)
	}
}

func TestParsePattern(t *testing.T) {
	re, err := CompilePattern(
		`^\s*(?P<test_case_id>[\w\-]+):\s+(?P<result>PASS|FAIL|XX)(?:\s+(?P<measurement>[\d\.]+)\s(?P<units>\w+))?\Z`,
	)
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{}
	g.print("before: PASS\r\n")
	g.signal("<LAVA_SIGNAL_STARTRUN 0_bench 7_1.1.3.1>")
	g.print("speed: PASS 12.5 MB\r\n\x1b[31mslow-one: FAIL\x1b[0m\r\nodd: XX\r\nnothing here\r\n")
	g.signal("<LAVA_SIGNAL_ENDRUN 0_bench 7_1.1.3.1>")
	g.print("after: PASS\r\n")
	g.manifest()
	g.exit()
	defs := []Definition{{Run: "0_bench", Pattern: re, Fixup: map[string]string{"PASS": "pass", "FAIL": "fail"}}}
	items, sum := read(Options{Sequenced: true, Definitions: defs}, g.out.String(), 9)
	var got []string
	for _, it := range items {
		if it.Case != nil {
			got = append(got, fmt.Sprint(show(it.Case), " line ", *it.Case.LogLine))
		}
	}
	want := []string{
		"0_bench||speed|pass|12.5|MB line 4", "0_bench||slow-one|fail line 5", "0_bench||odd|unknown line 6",
		"lava||0_bench|pass line 8",
	}
	if diff := cmp.Diff(want, got); diff != "" || !sum.Complete() {
		t.Errorf("cases (-want +got):\n%s\nsummary %+v", diff, sum)
	}
	for _, bad := range []string{`(?P<test_case_id>x)`, `(?<!a)(?P<test_case_id>x)(?P<result>y)`, `(`} {
		if _, err := CompilePattern(bad); results.ClassOf(err) != results.ClassJob {
			t.Errorf("%q: error %v", bad, err)
		}
	}
}
