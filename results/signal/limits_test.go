package signal

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestLimits feeds what is meant to exhaust a parser.
func TestLimits(t *testing.T) {
	many := &guest{}
	many.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
	for i := range 50 {
		many.signal(fmt.Sprintf("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=c%d RESULT=pass>", i))
	}
	jump := fmt.Sprintf(
		"<LAVA_SIGNAL_STARTTC a>\r\n<GANTRY_TRAILER 0.999999999 %08x>\r\n",
		checksum("0.999999999", []byte("<LAVA_SIGNAL_STARTTC a>")),
	)
	for name, c := range map[string]struct {
		out       string
		truncated bool
	}{
		"more cases than allowed":  {many.out.String(), true},
		"a number out of reach":    {jump, true},
		"a line without end":       {strings.Repeat("x", 1<<20), false},
		"signals that never close": {strings.Repeat("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=", 1<<15), true},
		"closing without opening":  {strings.Repeat(">", 1<<20), false},
		"trailers of nothing":      {strings.Repeat("<LAVA_<GANTRY_TRAILER 0.1 00000000>\n", 1<<15), false},
		"records of nothing":       {strings.Repeat("<GANTRY_RECORD 0.1 00000000 >>>>>>>>>>>>>>>\n", 1<<15), false},
		"raw signals":              {strings.Repeat("<LAVA_SIGNAL_STARTTC a>\n", 1<<15), true},
		"empty lines":              {strings.Repeat("\n", 1<<20), false},
		"stamps":                   {strings.Repeat("<LAVA_[    1.234567] ", 1<<15) + "<GANTRY_TRAILER 0.1 00000000>", false},
	} {
		t.Run(name, func(t *testing.T) {
			items, sum := read(Options{Sequenced: true, MaxCases: 20}, c.out, 4096)
			if sum.Truncated != c.truncated || sum.Complete() || sum.Cases > 20 || len(items) > 20*maxGaps {
				t.Errorf("%d items, summary %+v", len(items), sum)
			}
			once, twice := allocated(c.out), allocated(c.out+c.out)
			if twice > 3*once+1<<20 {
				t.Errorf("allocates %d bytes, and %d for twice as much output", once, twice)
			}
		})
	}
}

// TestHeld has every record come but the first, and each as long as one can be.
func TestHeld(t *testing.T) {
	g := &guest{}
	g.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
	first := g.out.Len()
	for i := range maxHeld/7000 + 100 {
		g.signal(fmt.Sprintf("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=c%d RESULT=%s>", i, strings.Repeat("x", 7000)))
	}
	p := New(Options{Sequenced: true}, func(Item) {})
	most := 0
	for rest := []byte(g.out.String()[first:]); len(rest) > 0; rest = rest[min(4096, len(rest)):] {
		p.Feed(rest[:min(4096, len(rest))], time.Time{})
		held := 0
		if len(rest)%256 == 0 {
			for _, r := range p.order.held {
				held += len(r.text)
			}
		}
		most = max(most, held)
	}
	if sum := p.Close(); !sum.Truncated || sum.Complete() || most > maxHeld {
		t.Errorf("%d bytes held, summary %+v", most, sum)
	}
}

// TestNames has a case called what a terminal would obey.
func TestNames(t *testing.T) {
	for in, want := range map[string]string{
		"a\u009b2Jb": "a\uFFFD2Jb", "a\u202eb": "a\uFFFDb", "é日\tx": "é日\tx", "\xff": "\uFFFD",
	} {
		if got := text(in, maxName); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

// allocated is how many bytes it takes to read output; and it holds what a parser keeps to its limits.
func allocated(out string) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p := New(Options{Sequenced: true, MaxCases: 20}, func(Item) {})
	for rest := []byte(out); len(rest) > 0; rest = rest[min(4096, len(rest)):] {
		p.Feed(rest[:min(4096, len(rest))], time.Time{})
		if len(p.window.text) > maxWindow+maxLine || len(p.window.places) > maxPieces+1 || len(p.split.buf) > maxLine ||
			len(p.order.pending) > maxUnnumbered {
			panic(fmt.Sprintf("holds %d bytes in %d places, a line of %d bytes, %d signals",
				len(p.window.text), len(p.window.places), len(p.split.buf), len(p.order.pending)))
		}
	}
	p.Close()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func FuzzParser(f *testing.F) {
	g := &guest{}
	g.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
	g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RESULT=pass>")
	g.signal("<LAVA_SIGNAL_ENDRUN 0_smoke 7_1.1.3.1>")
	g.manifest()
	g.exit()
	f.Add([]byte(g.out.String()), 7)
	f.Add([]byte("[    1.234567] <LAVA_MULTI_NODE> <LAVA_SEND a>\x1b[0m\r\n<GANTRY_RECORD 0.1 00000000 >"), 1)
	f.Fuzz(func(t *testing.T, out []byte, size int) {
		items, sum := read(Options{
			Sequenced: true, MaxCases: 100, Definitions: []Definition{{Run: "0_smoke"}},
		}, string(out), max(1, size%4096))
		for _, it := range items {
			if it.Case != nil && it.Case.LogLine != nil && *it.Case.LogLine < 1 {
				t.Errorf("line %d", *it.Case.LogLine)
			}
		}
		_ = sum.Err()
	})
}
