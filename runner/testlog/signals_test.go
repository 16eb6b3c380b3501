package testlog

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/jobs"
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
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s %s %s", it.StartCase, it.EndCase, it.StartSet, it.EndSet, it.Raise, it.Feedback, it.Event))
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
	if !sum.InstallFail || sum.Raise != "it makes no sense" || jobs.ClassOf(sum.Err()) != jobs.ClassTest {
		t.Errorf("summary %+v", sum)
	}
}

// TestInterleaved shows the shapes of damage that a trailer alone repairs, without the manifest.
func TestInterleaved(t *testing.T) {
	const sig, sum = "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=fine RESULT=pass>", "<GANTRY_TRAILER 2 "
	for name, change := range map[string]func(string) string{
		"kernel text inside a signal": func(s string) string {
			return strings.Replace(s, "_ID=fi", "_ID=fi[   12.345678] random: crng init done\r\n", 1)
		},
		"three kernel lines": func(s string) string {
			return strings.Replace(s, "_ID=fi", "_ID=fi[   12.345678] a\r\n[   12.345679] b\r\n[   12.345680][  T12] c <d>\r\n", 1)
		},
		"kernel text without a stamp": func(s string) string {
			return strings.Replace(s, "_ID=fi", "_ID=firandom: crng init done\r\n", 1)
		},
		"the first part of a kernel line": func(s string) string {
			return strings.Replace(s, "_ID=fi", "_ID=fi[   12.345678] random: crng i", 1)
		},
		"a signal inside kernel text": func(s string) string {
			return strings.Replace(s, sig, "[   12.345678] random: cr"+sig, 1)
		},
		"kernel text inside the trailer": func(s string) string {
			return strings.Replace(s, sum, "<GANTRY_TRAI[   12.345678] random: crng init done\r\nLER 2 ", 1)
		},
		"lost newlines":  func(s string) string { return strings.ReplaceAll(s, "\r\n", "") },
		"no newline":     func(s string) string { return strings.Replace(s, sig, "ok"+sig, 1) },
		"wrapped":        func(s string) string { return strings.Replace(s, "RESULT=", "RESU\r\nLT=", 1) },
		"colors":         func(s string) string { return strings.Replace(s, "RESULT=", "\x1b[0mRESULT=\x1b[1;31m", 1) },
		"carriage":       func(s string) string { return strings.ReplaceAll(s, "\r\n", "\r\r\n") },
		"twice":          func(s string) string { return s + s },
		"traced":         func(s string) string { return strings.Replace(s, sig, "+ echo '"+sig+"'\r\n"+sig, 1) },
		"in kernel log":  stamped,
		"through sysrq8": func(s string) string { return strings.ReplaceAll(stamped(s), "[ ", "<0>[ ") },
	} {
		t.Run(name, func(t *testing.T) {
			g := &guest{}
			g.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
			g.signal(sig)
			g.signal("<LAVA_SIGNAL_ENDRUN 0_smoke 7_1.1.3.1>")
			out := change(g.out.String())
			items, sum := read(Options{Sequenced: true}, out, 5)
			got := cases(items)
			if len(got) == 0 || got[0] != "0_smoke/fine=pass" || sum.Records != 3 || sum.Recovered != 0 || sum.Cases != 1 {
				t.Errorf("cases %q, summary %+v\n%s", got, sum, out)
			}
			if sum.Complete() {
				t.Errorf("complete without a manifest")
			}
		})
	}
}

func stamped(s string) string {
	lines := strings.SplitAfter(strings.TrimSuffix(s, "\r\n"), "\r\n")
	return "[   12.345678] " + strings.Join(lines, "[   12.345678] ") + "\r\n"
}

func TestManifestAgain(t *testing.T) {
	g := &guest{}
	g.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
	g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RESULT=pass>")
	g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=b RESULT=fail>")
	g.signal("<LAVA_SIGNAL_ENDRUN 0_smoke 7_1.1.3.1>")
	damaged := strings.NewReplacer("ID=b", "ID=xy").Replace(g.out.String())
	g.out.Reset()
	g.manifest()
	manifest := g.out.String()
	damaged += strings.Replace(manifest, "ID=b", "ID=", 1) + "<LAVA_TEST_RUNNER EXIT>\r\n"

	var got []Item
	p := New(Options{Sequenced: true}, func(it Item) { got = append(got, it) })
	p.Feed([]byte(damaged), time.Time{})
	if !p.Incomplete() {
		t.Fatal("complete though a record is lost")
	}
	p.Feed([]byte(manifest), time.Time{})
	if p.Incomplete() {
		t.Error("incomplete after the second manifest")
	}
	sum := p.Close()
	if diff := cmp.Diff([]string{"0_smoke/a=pass", "0_smoke/b=fail"}, cases(got)); diff != "" || !sum.Complete() || sum.Recovered != 1 {
		t.Errorf("cases (-want +got):\n%s\nsummary %+v", diff, sum)
	}
}

// TestRaw is about signals that tests print by themselves.
func TestRaw(t *testing.T) {
	const raw = "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=raw RESULT=pass>"
	g := &guest{}
	g.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
	g.print("+ echo '" + raw + "'\r\n++ echo '" + raw + "'\r\n" + raw + "\r\n")
	g.print("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=numbered RESULT=pass>\r\n") // a copy of what follows
	g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=numbered RESULT=pass>")
	g.signal("<LAVA_SIGNAL_ENDRUN 0_smoke 7_1.1.3.1>")
	g.manifest()
	g.exit()
	items, sum := read(Options{Sequenced: true}, g.out.String(), 100)
	want := []string{"0_smoke/raw=pass", "0_smoke/numbered=pass"}
	if diff := cmp.Diff(want, cases(items)); diff != "" || sum.Unsequenced != 1 || !sum.Complete() || sum.Copies != 3 {
		t.Errorf("cases (-want +got):\n%s\nsummary %+v", diff, sum)
	}
	t.Run("where a record was lost", func(t *testing.T) {
		out := strings.Replace(g.out.String(), "<GANTRY_TRAILER 2", "", 1)
		items, sum := read(Options{Sequenced: true}, out, 100)
		if got := cases(items); !sum.Complete() || len(got) != 2 { // what is left of it is there, so the other is the test's own
			t.Errorf("%q, summary %+v", got, sum)
		}
	})
	t.Run("before the end of a failing run", func(t *testing.T) {
		g := &guest{}
		g.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
		g.print(raw + "\r\n")
		g.signal("<GANTRY_SIGNAL RUNEXIT 0_smoke 1>")
		g.print(strings.Replace(raw, "raw", "late", 1) + "\r\n")
		g.manifest()
		g.exit()
		items, sum := read(Options{Sequenced: true}, g.out.String(), 100)
		if got := cases(items); len(got) != 2 || got[0] != "0_smoke/raw=pass" || !sum.Complete() {
			t.Errorf("%q, summary %+v", got, sum)
		}
	})
	t.Run("of other helpers", func(t *testing.T) {
		out := "<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>\r\n" + raw + "\r\n<LAVA_SIGNAL_ENDRUN 0_smoke 7_1.1.3.1>\r\n<LAVA_TEST_RUNNER EXIT>\r\n"
		items, sum := read(Options{Definitions: []Definition{{Run: "0_smoke"}}}, out, 100)
		if got := cases(items); len(got) != 1 || got[0] != "0_smoke/raw=pass" || !sum.Complete() || sum.Unsequenced != 0 {
			t.Errorf("%q, summary %+v", got, sum)
		}
	})
}

func TestExpected(t *testing.T) {
	g := &guest{}
	g.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
	g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=wanted RESULT=pass>")
	g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=stray RESULT=pass>")
	g.signal("<LAVA_SIGNAL_ENDRUN 0_smoke 7_1.1.3.1>")
	g.manifest()
	g.exit()
	defs := []Definition{{Run: "0_smoke", Expected: []string{"wanted", "absent"}}, {Run: "1_never", Expected: []string{"more"}}}
	items, sum := read(Options{Sequenced: true, Definitions: defs}, g.out.String(), 100)
	want := []string{"0_smoke/wanted=pass", "0_smoke/stray=fail", "0_smoke/absent=missing", "1_never/more=missing"}
	if diff := cmp.Diff(want, cases(items)); diff != "" || sum.Complete() || sum.Missing != 3 {
		t.Errorf("cases (-want +got):\n%s\nsummary %+v", diff, sum)
	}
}

func TestParsePattern(t *testing.T) {
	re, err := CompilePattern(`^\s*(?P<test_case_id>[\w\-]+):\s+(?P<result>PASS|FAIL|XX)(?:\s+(?P<measurement>[\d\.]+)\s(?P<units>\w+))?\Z`)
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
	want := []string{"0_bench||speed|pass|12.5|MB line 4", "0_bench||slow-one|fail line 5", "0_bench||odd|unknown line 6", "lava||0_bench|pass line 8"}
	if diff := cmp.Diff(want, got); diff != "" || !sum.Complete() {
		t.Errorf("cases (-want +got):\n%s\nsummary %+v", diff, sum)
	}
	for _, bad := range []string{`(?P<test_case_id>x)`, `(?<!a)(?P<test_case_id>x)(?P<result>y)`, `(`} {
		if _, err := CompilePattern(bad); jobs.ClassOf(err) != jobs.ClassJob {
			t.Errorf("%q: error %v", bad, err)
		}
	}
}

// TestSuiteAfterLoss puts results into the right suite although the starts and ends of runs are lost.
func TestSuiteAfterLoss(t *testing.T) {
	g := &guest{}
	g.signal("<LAVA_SIGNAL_STARTRUN 0_a 7_1>")
	g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=one RESULT=pass>")
	g.signal("<LAVA_SIGNAL_ENDRUN 0_a 7_1>")
	g.signal("<LAVA_SIGNAL_STARTRUN 1_b 7_2>")
	g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=two RESULT=pass>")
	g.signal("<LAVA_SIGNAL_ENDRUN 1_b 7_2>")
	lossy := g.out.String()
	from, to := strings.Index(lossy, "<LAVA_SIGNAL_ENDRUN 0_a"), strings.Index(lossy, "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=two")
	lossy = lossy[:from] + lossy[to:]
	g.out.Reset()
	g.manifest()
	g.exit()
	items, sum := read(Options{Sequenced: true}, lossy+g.out.String(), 100)
	if diff := cmp.Diff([]string{"0_a/one=pass", "1_b/two=pass"}, cases(items)); diff != "" || !sum.Complete() || sum.Recovered != 2 {
		t.Errorf("with the manifest (-want +got):\n%s\nsummary %+v", diff, sum)
	}
	items, sum = read(Options{Sequenced: true}, lossy, 100)
	want := []string{"0_a/one=pass", "1_b/records 3-4=missing", "1_b/two=pass"}
	if diff := cmp.Diff(want, cases(items)); diff != "" || sum.Complete() {
		t.Errorf("without it (-want +got):\n%s\nsummary %+v", diff, sum)
	}
}

// TestResultsDevice reads results from the device while the console is beyond repair, and counts none twice when both
// have them.
func TestResultsDevice(t *testing.T) {
	g := &guest{}
	g.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
	g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RESULT=pass>")
	g.print("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=raw RESULT=skip>\r\n")
	g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=b RESULT=fail>")
	g.signal("<LAVA_SIGNAL_ENDRUN 0_smoke 7_1.1.3.1>")
	console := g.out.String()
	g.out.Reset()
	g.manifest()
	device := g.out.String()
	for name, console := range map[string]string{"whole": console, "nothing": "", "damaged": strings.ReplaceAll(console, "SIG", "S")} {
		t.Run(name, func(t *testing.T) {
			var got []Item
			p := New(Options{Sequenced: true}, func(it Item) { got = append(got, it) })
			records, last, _ := strings.Cut(device, manifestStart)
			p.FeedDevice([]byte(records), time.Time{})
			p.Feed([]byte(console), time.Time{})
			p.FeedDevice([]byte(manifestStart+last), time.Time{})
			p.Feed([]byte("# "), time.Time{})
			sum := p.Close()
			want := []string{"0_smoke/a=pass", "0_smoke/b=fail"}
			if name == "whole" {
				want = append(want, "0_smoke/raw=skip")
			}
			if name == "damaged" { // the test's own signal, too
				want = append(want, "0_smoke/unsequenced=missing")
			}
			if diff := cmp.Diff(want, cases(got)); diff != "" || sum.Complete() != (name != "damaged") || sum.Device != 4 || !sum.Exit {
				t.Errorf("cases (-want +got):\n%s\nsummary %+v", diff, sum)
			}
		})
	}
}

// TestDamagedExit ends a stage whose manifest is whole, whatever became of the runner's last line.
func TestDamagedExit(t *testing.T) {
	for _, last := range []string{
		"<LAVA_TEST_RUNNER EXIT>\r\n", "<LAVA_TEST_RUNNER EXIT>", "<LAVA_TEXT_RUNNER EXIT>\r\n", "<LAVA_TEST_RUNN", "# ", "\r\n# ",
		"<LAVA_TEST_RUNN[    1.234567] random: crng init done\r\nER EXIT>\r\n",
	} {
		g := &guest{}
		g.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
		g.signal("<LAVA_SIGNAL_ENDRUN 0_smoke 7_1.1.3.1>")
		g.manifest()
		g.print(last)
		_, sum := read(Options{Sequenced: true}, g.out.String(), 1)
		if want := last != "<LAVA_TEST_RUNN"; sum.Exit != want {
			t.Errorf("%q: exit %t", last, sum.Exit)
		}
	}
}

// TestLimits feeds what is meant to exhaust a parser.
func TestLimits(t *testing.T) {
	many := &guest{}
	many.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
	for i := range 50 {
		many.signal(fmt.Sprintf("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=c%d RESULT=pass>", i))
	}
	jump := fmt.Sprintf("<LAVA_SIGNAL_STARTTC a>\r\n<GANTRY_TRAILER 999999999 %08x>\r\n", checksum("999999999", []byte("<LAVA_SIGNAL_STARTTC a>")))
	for name, c := range map[string]struct {
		out       string
		truncated bool
	}{
		"more cases than allowed":  {many.out.String(), true},
		"a number out of reach":    {jump, true},
		"a line without end":       {strings.Repeat("x", 1<<20), false},
		"signals that never close": {strings.Repeat("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=", 1<<15), true},
		"closing without opening":  {strings.Repeat(">", 1<<20), false},
		"trailers of nothing":      {strings.Repeat("<LAVA_<GANTRY_TRAILER 1 00000000>\n", 1<<15), false},
		"records of nothing":       {strings.Repeat("<GANTRY_RECORD 1 00000000 >>>>>>>>>>>>>>>\n", 1<<15), false},
		"raw signals":              {strings.Repeat("<LAVA_SIGNAL_STARTTC a>\n", 1<<15), true},
		"empty lines":              {strings.Repeat("\n", 1<<20), false},
		"stamps":                   {strings.Repeat("<LAVA_[    1.234567] ", 1<<15) + "<GANTRY_TRAILER 1 00000000>", false},
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			items, sum := read(Options{Sequenced: true, MaxCases: 20}, c.out, 4096)
			if sum.Truncated != c.truncated || sum.Complete() || sum.Cases > 20 || len(items) > 20*maxGaps {
				t.Errorf("%d items, summary %+v", len(items), sum)
			}
			if d := time.Since(begun); d > 5*time.Minute {
				t.Errorf("took %s", d)
			} else {
				t.Log(d, len(c.out))
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	g := &guest{}
	g.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
	for i := range 1000 {
		g.print(strings.Repeat("[   12.345678] usb 1-1: new high-speed USB device number 2 using xhci_hcd\r\nsome output of a test\r\n", 10))
		g.signal(fmt.Sprintf("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=case-%d RESULT=pass>", i))
	}
	g.signal("<LAVA_SIGNAL_ENDRUN 0_smoke 7_1.1.3.1>")
	g.manifest()
	g.exit()
	out := []byte(g.out.String())
	b.SetBytes(int64(len(out)))
	b.ReportAllocs()
	for b.Loop() {
		p := New(Options{Sequenced: true}, func(Item) {})
		p.Feed(out, time.Time{})
		if sum := p.Close(); sum.Cases != 1000 || !sum.Complete() {
			b.Fatalf("%+v", sum)
		}
	}
}

func FuzzParser(f *testing.F) {
	g := &guest{}
	g.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
	g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RESULT=pass>")
	g.signal("<LAVA_SIGNAL_ENDRUN 0_smoke 7_1.1.3.1>")
	g.manifest()
	g.exit()
	f.Add([]byte(g.out.String()), 7)
	f.Add([]byte("[    1.234567] <LAVA_MULTI_NODE> <LAVA_SEND a>\x1b[0m\r\n<GANTRY_RECORD 1 00000000 >"), 1)
	f.Fuzz(func(t *testing.T, out []byte, size int) {
		items, sum := read(Options{Sequenced: true, MaxCases: 100, Definitions: []Definition{{Run: "0_smoke"}}}, string(out), max(1, size%4096))
		for _, it := range items {
			if it.Case != nil && it.Case.LogLine != nil && *it.Case.LogLine < 1 {
				t.Errorf("line %d", *it.Case.LogLine)
			}
		}
		_ = sum.Err()
	})
}
