package signal

import (
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/results"
)

// guest prints as the helpers do.
type guest struct {
	out     strings.Builder
	records []string
	kernel  bool // it prints signals through the kernel's log
	run     int
}

func (g *guest) signal(text string) {
	n := len(g.records) + 1
	sum := crc32.ChecksumIEEE(fmt.Appendf(nil, "%d.%d %s", g.run, n, text))
	g.records = append(
		g.records, fmt.Sprintf("<GANTRY_RECORD %d.%d %08x %s\r\n", g.run, n, sum, strings.TrimPrefix(text, "<")),
	)
	before := ""
	if g.kernel {
		before = fmt.Sprintf("[ %4d.%06d] ", n, n)
		g.print(begin)
	}
	fmt.Fprintf(&g.out, "%s%s\r\n%s<GANTRY_TRAILER %d.%d %08x>\r\n", before, text, before, g.run, n, sum)
	if g.kernel {
		g.print(end)
	}
}

func (g *guest) print(s string) { g.out.WriteString(s) }

func (g *guest) manifest() {
	for _, r := range g.records {
		g.print(r)
	}
	n := len(g.records)
	g.print(fmt.Sprintf(
		"<GANTRY_MANIFEST %d.%d %08x>\r\n", g.run, n, crc32.ChecksumIEEE(fmt.Appendf(nil, "%d.%d GANTRY_MANIFEST", g.run, n)),
	))
}

func (g *guest) exit() { g.print("<LAVA_TEST_RUNNER EXIT>\r\n") }

// read parses output fed in pieces of size bytes.
func read(o Options, output string, size int) ([]Item, Summary) {
	var items []Item
	p := New(o, func(it Item) { items = append(items, it) })
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for len(output) > 0 {
		n := min(size, len(output))
		p.Feed([]byte(output[:n]), at)
		output = output[n:]
	}
	return items, p.Close()
}

// cases are "suite/set/case=result" of the cases, those of the suite lava left out.
func cases(items []Item) []string {
	var all []string
	for _, it := range items {
		if c := it.Case; c != nil && c.Suite != results.PipelineSuite {
			set := ""
			if c.Set != nil {
				set = *c.Set + "/"
			}
			all = append(all, c.Suite+"/"+set+c.Case+"="+c.Result)
		}
	}
	return all
}

func TestWholeStage(t *testing.T) {
	g := &guest{}
	g.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
	g.signal("<LAVA_SIGNAL_STARTTC uname>")
	g.print("Linux\r\n")
	g.signal("<LAVA_SIGNAL_ENDTC uname>")
	g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=uname RESULT=pass>")
	g.signal("<LAVA_SIGNAL_TESTSET START one>")
	g.signal("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=with blanks and > RESULT=fail UNITS=m/s MEASUREMENT=3.5>")
	g.signal("<LAVA_SIGNAL_TESTSET STOP>")
	g.signal("<LAVA_SIGNAL_ENDRUN 0_smoke 7_1.1.3.1>")
	g.manifest()
	g.exit()
	for _, size := range []int{1, 7, 1 << 20} {
		items, sum := read(Options{Sequenced: true, Definitions: []Definition{{Run: "0_smoke"}}}, g.out.String(), size)
		want := []string{"0_smoke/uname=pass", "0_smoke/one/with blanks and >=fail"}
		if diff := cmp.Diff(want, cases(items)); diff != "" {
			t.Errorf("cases (-want +got):\n%s", diff)
		}
		if err := sum.Err(); err != nil || !sum.Exit || !sum.Manifest || sum.Records != 8 {
			t.Errorf("err %v, summary %+v", err, sum)
		}
		for _, it := range items {
			if c := it.Case; c != nil && c.Measurement != nil &&
				(*c.Measurement != 3.5 || *c.Units != "m/s" || *c.LogLine != 12) {
				t.Errorf("case is %+v, line %d", c, *c.LogLine)
			}
		}
	}
}
