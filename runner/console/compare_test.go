package console

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCompare prints how fast, in the median, the engine is beside a plain reader and Python's pexpect. It takes
// minutes:
//
//	GANTRY_BENCH=1 go test -v -run TestCompare ./runner/console
func TestCompare(t *testing.T) {
	if os.Getenv("GANTRY_BENCH") == "" {
		t.Skip("measures for minutes; GANTRY_BENCH=1 runs it")
	}
	const gap = 1 << 20 // sparse hits: a prompt every MiB
	fast := &corpus{t: t, text: benchText(64<<20, gap)}
	slow := &corpus{t: t, text: benchText(8<<20, gap)}
	fmt.Fprintf(os.Stderr, "MB/s (processor time of this process, ns a byte)\n%-8s %-8s %16s %16s %16s %8s %8s\n",
		"source", "patterns", "plain reader", "and record", "engine", "pexpect", "times")
	for _, source := range []string{"memory", "pty"} {
		for _, n := range []int{1, 10, 50} {
			var plain, record, engine series
			for range rounds { // in turn, so that what else runs disturbs all alike
				plain.add(t, func() float64 { return fast.plain(source, false) })
				record.add(t, func() float64 { return fast.plain(source, true) })
				engine.add(t, func() float64 { return fast.engine(source, n) })
			}
			python := slow.pexpect(source, n)
			fmt.Fprintf(os.Stderr, "%-8s %-8d %16s %16s %16s %8.2f %7.0fx\n", source, n,
				plain.show(fast), record.show(fast), engine.show(fast), python, engine.rate()/python)
		}
	}
}

// rounds is how often each is measured; odd, so that there is one in the middle.
const rounds = 9

// series is several measurements of one thing. A terminal's rate swings by a third with how the kernel places who
// writes, who reads and its own worker on the processors, so that the best says only who was lucky.
type series struct {
	rates []float64 // MB/s
	cpus  []time.Duration
}

func (s *series) add(t *testing.T, measure func() float64) {
	before := cpuTime(t)
	s.rates = append(s.rates, measure())
	s.cpus = append(s.cpus, cpuTime(t)-before)
}

// rate is the median.
func (s *series) rate() float64 { return slices.Sorted(slices.Values(s.rates))[len(s.rates)/2] }

func (s *series) show(c *corpus) string {
	cpu := slices.Sorted(slices.Values(s.cpus))[len(s.cpus)/2]
	return fmt.Sprintf("%.0f (%.2f)", s.rate(), float64(cpu.Nanoseconds())/float64(len(c.text)))
}

type corpus struct {
	t     testing.TB
	text  []byte
	name  string // of the file
	found int
}

func (c *corpus) hits() int {
	if c.found == 0 {
		c.found = bytes.Count(c.text, []byte("root@"))
	}
	return c.found
}

// file is the text as a file.
func (c *corpus) file() string {
	if c.name == "" {
		c.name = filepath.Join(c.t.TempDir(), "text")
		if err := os.WriteFile(c.name, c.text, 0o600); err != nil {
			c.t.Fatal(err)
		}
	}
	return c.name
}

// stream is the text from memory, or from a process at a terminal.
func (c *corpus) stream(source string) io.ReadWriteCloser {
	if source == "memory" {
		return memory{bytes.NewReader(c.text)}
	}
	master, slave := pty(c.t)
	cat := exec.CommandContext(c.t.Context(), "cat", c.file())
	cat.Stdout = slave
	if err := cat.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = cat.Wait() })
	_ = slave.Close()
	return master
}

func (c *corpus) rate(start time.Time) float64 {
	return float64(len(c.text)) / 1e6 / time.Since(start).Seconds()
}

func (c *corpus) record() *os.File {
	f, err := os.Create(filepath.Join(c.t.TempDir(), "console.log"))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = f.Close() })
	return f
}

func (c *corpus) plain(source string, record bool) float64 {
	in, out := c.stream(source), c.record()
	start := time.Now()
	buf := make([]byte, readSize)
	for n := 0; n < len(c.text); {
		k, err := in.Read(buf)
		if err != nil {
			c.t.Fatal(err)
		}
		if n += k; record {
			if _, err := out.Write(buf[:k]); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	return c.rate(start)
}

func (c *corpus) engine(source string, patterns int) float64 {
	pats := compileT(c.t, benchPatterns(patterns)...)
	in, out := c.stream(source), c.record()
	start := time.Now()
	con, err := New(in, out, Options{})
	if err != nil {
		c.t.Fatal(err)
	}
	s, err := con.Session(c.t.Context(), 0)
	if err != nil {
		c.t.Fatal(err)
	}
	hits := 0
	for ; ; hits++ {
		if _, err := s.Expect(c.t.Context(), pats); err != nil {
			break
		}
	}
	rate := c.rate(start)
	if con.Size() != int64(len(c.text)) || hits != c.hits() {
		c.t.Errorf("%d of %d bytes, %d of %d hits", con.Size(), len(c.text), hits, c.hits())
	}
	if err := con.Close(); err != nil {
		c.t.Error(err)
	}
	return rate
}

func (c *corpus) pexpect(source string, patterns int) float64 {
	list := filepath.Join(c.t.TempDir(), "patterns")
	if err := os.WriteFile(list, []byte(strings.Join(benchPatterns(patterns), "\n")), 0o600); err != nil {
		c.t.Fatal(err)
	}
	out, err := exec.CommandContext(
		c.t.Context(), "/usr/bin/python3", "testdata/measure_pexpect.py", source, c.file(), list,
	).CombinedOutput()
	if err != nil {
		c.t.Fatalf("pexpect: %v: %s", err, out)
	}
	var took float64
	var hits int
	if _, err := fmt.Sscan(string(out), &took, &hits); err != nil || hits != c.hits() {
		c.t.Fatalf("pexpect said %q: %v; there are %d prompts", out, err, c.hits())
	}
	return float64(len(c.text)) / 1e6 / took
}
