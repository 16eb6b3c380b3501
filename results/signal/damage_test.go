package signal

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestInterleaved shows the shapes of damage that a trailer alone repairs, without the manifest.
func TestInterleaved(t *testing.T) {
	const sig, sum = "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=fine RESULT=pass>", "<GANTRY_TRAILER 0.2 "
	for name, change := range map[string]func(string) string{
		"kernel text inside a signal": func(s string) string {
			return strings.Replace(s, "_ID=fi", "_ID=fi[   12.345678] random: crng init done\r\n", 1)
		},
		"three kernel lines": func(s string) string {
			return strings.Replace(
				s, "_ID=fi", "_ID=fi[   12.345678] a\r\n[   12.345679] b\r\n[   12.345680][  T12] c <d>\r\n", 1,
			)
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
			return strings.Replace(s, sum, "<GANTRY_TRAI[   12.345678] random: crng init done\r\nLER 0.2 ", 1)
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
	if diff := cmp.Diff([]string{"0_smoke/a=pass", "0_smoke/b=fail"}, cases(got)); diff != "" || !sum.Complete() ||
		sum.Recovered != 1 {
		t.Errorf("cases (-want +got):\n%s\nsummary %+v", diff, sum)
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
	from, to := strings.Index(lossy, "<LAVA_SIGNAL_ENDRUN 0_a"), strings.Index(
		lossy, "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=two",
	)
	lossy = lossy[:from] + lossy[to:]
	g.out.Reset()
	g.manifest()
	g.exit()
	items, sum := read(Options{Sequenced: true}, lossy+g.out.String(), 100)
	if diff := cmp.Diff([]string{"0_a/one=pass", "1_b/two=pass"}, cases(items)); diff != "" || !sum.Complete() ||
		sum.Recovered != 2 {
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
	for name, console := range map[string]string{"whole": console, "nothing": "", "damaged": strings.ReplaceAll(
		console, "SIG", "S",
	)} {
		t.Run(name, func(t *testing.T) {
			var got []Item
			p := New(Options{Sequenced: true}, func(it Item) { got = append(got, it) })
			records, last, _ := strings.Cut(device, ManifestStart)
			p.FeedDevice([]byte(records), time.Time{})
			p.Feed([]byte(console), time.Time{})
			p.FeedDevice([]byte(ManifestStart+last), time.Time{})
			p.Feed([]byte("# "), time.Time{})
			sum := p.Close()
			want := []string{"0_smoke/a=pass", "0_smoke/b=fail"}
			if name == "whole" {
				want = append(want, "0_smoke/raw=skip")
			}
			if name == "damaged" { // the test's own signal, too
				want = append(want, "0_smoke/unsequenced=missing")
			}
			if diff := cmp.Diff(want, cases(got)); diff != "" || sum.Complete() != (name != "damaged") || sum.Device != 4 ||
				!sum.Exit {
				t.Errorf("cases (-want +got):\n%s\nsummary %+v", diff, sum)
			}
		})
	}
}

// TestDamagedExit ends a stage whose manifest is whole, whatever became of the runner's last line.
func TestDamagedExit(t *testing.T) {
	for _, last := range []string{
		"<LAVA_TEST_RUNNER EXIT>\r\n", "<LAVA_TEST_RUNNER EXIT>", "<LAVA_TEXT_RUNNER EXIT>\r\n", "<LAVA_TEST_RUNN", "# ",
		"\r\n# ",
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
