package signal

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestUnnumberedCut cuts a signal that a test prints by itself: it is put together again where that is sure, and
// reported missing where it is not.
func TestUnnumberedCut(t *testing.T) {
	const raw = "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=x RESULT=pass>"
	const kernel = "[   12.345678] usb <cuts> in\r\n"
	for name, c := range map[string]struct{ insert, want string }{
		"a kernel line with brackets":  {kernel, "0_smoke/x=pass"},
		"three kernel lines":           {kernel + kernel + "<6>[   12.345679] a > b\r\n", "0_smoke/x=pass"},
		"a kernel line":                {"[   12.345678] usb cuts in\r\n", "0_smoke/x=pass"},
		"a line without a stamp":       {"usb <cuts> in\r\n", "0_smoke/unsequenced=missing"},
		"a plain line without a stamp": {"usb cuts in\r\n", "0_smoke/unsequenced=missing"},
		"colors":                       {"\x1b[1;31m", "0_smoke/x=pass"},
	} {
		t.Run(name, func(t *testing.T) {
			for at := 1; at < len(raw); at++ {
				for _, after := range []string{"", strings.Repeat("more output\r\n", maxPieces+2)} {
					g := &guest{}
					g.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
					g.print(raw[:at] + c.insert + raw[at:] + "\r\n" + after)
					g.signal("<LAVA_SIGNAL_ENDRUN 0_smoke 7_1.1.3.1>")
					g.manifest()
					g.exit()
					items, sum := read(Options{Sequenced: true}, g.out.String(), 100)
					if diff := cmp.Diff([]string{c.want}, cases(items)); diff != "" ||
						sum.Complete() != strings.HasSuffix(c.want, "pass") {
						t.Fatalf("cut at %d, %q: (-want +got):\n%s\nsummary %+v", at, raw[:at], diff, sum)
					}
				}
			}
		})
	}
}

// TestUnnumberedWrapped takes a signal that a terminal wraps, and no other that is on several lines.
func TestUnnumberedWrapped(t *testing.T) {
	raw := "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=" + strings.Repeat("long-", 20) + " RESULT=pass>"
	for width, want := range map[int]bool{80: true, 50: false} {
		g := &guest{}
		g.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
		var lines []string
		for part := range slices.Chunk([]byte(raw), width) {
			lines = append(lines, string(part))
		}
		g.print(strings.Join(lines, "\r\n") + "\r\n")
		g.signal("<LAVA_SIGNAL_ENDRUN 0_smoke 7_1.1.3.1>")
		g.manifest()
		g.exit()
		items, sum := read(Options{Sequenced: true}, g.out.String(), 100)
		if got := cases(items); sum.Complete() != want || len(got) != 1 {
			t.Errorf("width %d: cases %q, summary %+v", width, got, sum)
		}
	}
}

// TestUnnumbered is about signals that tests print by themselves.
func TestUnnumbered(t *testing.T) {
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
		out := strings.Replace(g.out.String(), "<GANTRY_TRAILER 0.2", "", 1)
		items, sum := read(Options{Sequenced: true}, out, 100)
		if got := cases(items); !sum.Complete() ||
			len(got) != 2 { // what is left of it is there, so the other is the test's own
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
		out := "<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>\r\n" + raw +
			"\r\n<LAVA_SIGNAL_ENDRUN 0_smoke 7_1.1.3.1>\r\n<LAVA_TEST_RUNNER EXIT>\r\n"
		items, sum := read(Options{Definitions: []Definition{{Run: "0_smoke"}}}, out, 100)
		if got := cases(items); len(got) != 1 || got[0] != "0_smoke/raw=pass" || !sum.Complete() || sum.Unsequenced != 0 {
			t.Errorf("%q, summary %+v", got, sum)
		}
	})
}
