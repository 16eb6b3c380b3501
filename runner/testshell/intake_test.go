package testshell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/signal"
	"github.com/gantry-ci/gantry/runner/beside"
	"github.com/gantry-ci/gantry/runner/console"
)

// target prints on a console and writes to a device, as the helpers do in run 1 of a target.
type target struct {
	t       *testing.T
	in      *intake
	console *io.PipeWriter
	device  *io.PipeWriter
	items   []signal.Item
	start   time.Time
}

type stream struct {
	*io.PipeReader
}

func (stream) Write(b []byte) (int, error) { return len(b), nil }

// newTarget is for a bubble of synctest.
func newTarget(t *testing.T) *target {
	t.Helper()
	g := &target{t: t, start: time.Now()}
	file, err := os.Create(filepath.Join(t.TempDir(), "console.log"))
	if err != nil {
		t.Fatal(err)
	}
	var out, copies *io.PipeReader
	out, g.console = io.Pipe()
	copies, g.device = io.Pipe()
	con, err := console.New(stream{out}, file, console.Options{})
	if err != nil {
		t.Fatal(err)
	}
	record, err := beside.OpenRecord(t.TempDir(), copies, beside.RecordOptions{})
	if err != nil {
		t.Fatal(err)
	}
	g.in = newIntake(con.From(0), signal.Options{
		Definitions: []signal.Definition{{Run: "0_a"}}, Sequenced: true, Run: 1,
	}, func(i signal.Item) { g.items = append(g.items, i) })
	g.in.follow(t.Context(), record, token{number: 1})
	t.Cleanup(func() {
		g.in.close()
		_ = errors.Join(con.Close(), record.Close(), file.Close())
	})
	return g
}

// print writes to the console, say to the device.
func (g *target) print(text ...string) { g.write(g.console, strings.Join(text, "")) }
func (g *target) say(text ...string)   { g.write(g.device, "@0.1 "+strings.Join(text, "@0.1 ")) }

func (g *target) write(w io.Writer, text string) {
	g.t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		g.t.Error(err)
	}
}

// at has something done at a time since the start.
func (g *target) at(after time.Duration, do func()) { time.AfterFunc(after, do) }

// wait waits for an end, which must come at that time since the start.
func (g *target) wait(ctx context.Context, repeated bool, want end, after time.Duration) error {
	g.t.Helper()
	got, err := g.in.wait(ctx, repeated)
	if elapsed := time.Since(g.start).Round(100 * time.Millisecond); got != want || elapsed != after {
		g.t.Errorf("end %d after %s, want %d after %s; %v", got, elapsed, want, after, err)
	}
	return err
}

// cases are those that were reported, as "suite/case=result@line".
func (g *target) cases() string {
	var all []string
	for _, i := range g.items {
		if c := i.Case; c != nil && c.Suite != results.PipelineSuite {
			line := 0
			if c.LogLine != nil {
				line = *c.LogLine
			}
			all = append(all, fmt.Sprintf("%s/%s=%s@%d", c.Suite, c.Case, c.Result, line))
		}
	}
	return strings.Join(all, " ")
}

func sum(number, text string) string {
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(number+" "+text)))
}

const exit = "<LAVA_TEST_RUNNER EXIT>\r\n"

var signals = []string{
	"<LAVA_SIGNAL_STARTRUN 0_a 1.1>", "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=one RESULT=pass>",
	"<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=two RESULT=fail>", "<LAVA_SIGNAL_ENDRUN 0_a 1.1>",
}

// sent is the record n, from 1, as the console gets it; a record of it is the device's and the manifest's.
func sent(n int) string { return sentAs(n, signals[n-1]) }

func sentAs(n int, text string) string {
	number := fmt.Sprintf("1.%d", n)
	return text + "\r\n<GANTRY_TRAILER " + number + " " + sum(number, text) + ">\r\n"
}

func record(n int) string { return recordAs(n, signals[n-1]) }

func recordAs(n int, text string) string {
	number := fmt.Sprintf("1.%d", n)
	return "<GANTRY_RECORD " + number + " " + sum(number, text) + " " + text[1:] + "\n"
}

func manifest(n int) string {
	number := fmt.Sprintf("1.%d", n)
	return "<GANTRY_MANIFEST " + number + " " + sum(number, "GANTRY_MANIFEST") + ">\n"
}

// all is each record from 1 to the last, by f.
func all(f func(int) string) (text []string) {
	for n := range signals {
		text = append(text, f(n+1))
	}
	return text
}

// TestCopies has the console come before a copy does, and after it: within copyWait the console's counts.
func TestCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newTarget(t)
		g.at(0, func() { g.print(sent(1)); g.say(record(1), record(2)) })
		g.at(copyWait-time.Second, func() { g.print(sent(2)); g.say(record(3)) })
		g.at(2*copyWait, func() { g.print(sent(3), sent(4), manifest(4), exit) })
		if err := g.wait(t.Context(), false, endExit, 2*copyWait); err != nil || g.in.incomplete() {
			t.Errorf("incomplete, or %v", err)
		}
		if got, want := g.cases(), "0_a/one=pass@3 0_a/two=fail@0"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if s := g.in.parser.Close(); s.Device != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// TestQuiet ends a run by the device alone when the console is quiet, or has gone on for too long.
func TestQuiet(t *testing.T) {
	for name, tt := range map[string]struct {
		chatter time.Duration // between the console's lines; 0 for none
		want    time.Duration
	}{
		"a quiet console":         {0, time.Second + quietWait},
		"a console that chatters": {3 * time.Second, 30*time.Second + quietWait}, // the last line within quietMax is at 30 s
		"a console that is slow":  {7 * time.Second, time.Second + quietWait},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newTarget(t)
				g.at(time.Second, func() { g.say(append(all(record), manifest(4))...) })
				if tt.chatter > 0 {
					ticker := time.NewTicker(tt.chatter)
					done := make(chan struct{})
					go func() {
						defer close(done)
						for {
							select {
							case <-ticker.C:
								g.print("usb 1-1: new device\r\n")
							case <-t.Context().Done():
								return
							}
						}
					}()
					t.Cleanup(func() { ticker.Stop(); <-done })
				}
				if err := g.wait(t.Context(), false, endQuiet, tt.want); err != nil || g.in.incomplete() {
					t.Errorf("incomplete, or %v", err)
				}
				if got, want := g.cases(), "0_a/one=pass@0 0_a/two=fail@0"; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		})
	}
}

// TestManifestAgain asks for a manifest that does not come, then for one that does, by the console or the device.
func TestManifestAgain(t *testing.T) {
	for name, again := range map[string]func(g *target){
		"by the console": func(g *target) { g.print(append(all(record), manifest(4))...) },
		"by the device":  func(g *target) { g.say(append(all(record), manifest(4))...) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newTarget(t)
				g.print(sent(1), sent(2), exit)
				if err := g.wait(t.Context(), false, endExit, 0); err != nil || !g.in.incomplete() {
					t.Errorf("complete, or %v", err)
				}
				if err := g.wait(t.Context(), true, endNoManifest, manifestWait); err != nil || !g.in.incomplete() {
					t.Errorf("complete, or %v", err)
				}
				want, after := endManifest, manifestWait+time.Second
				if strings.Contains(name, "device") {
					want, after = endQuiet, after+quietWait
				}
				g.at(time.Second, func() { again(g) })
				if err := g.wait(t.Context(), true, want, after); err != nil || g.in.incomplete() {
					t.Errorf("incomplete, or %v", err)
				}
				if got := g.cases(); !strings.HasPrefix(got, "0_a/one=pass@3 0_a/two=fail@") {
					t.Error(got)
				}
			})
		})
	}
}

// TestEnds holds what ends a wait, and that the first in order counts where several come at once.
func TestEnds(t *testing.T) {
	const raise = "<LAVA_SIGNAL_TESTRAISE no disk>"
	for name, tt := range map[string]struct {
		do    func(g *target)
		want  end
		after time.Duration
		cases string
	}{
		"exit":            {func(g *target) { g.print(sent(1), sent(2), exit) }, endExit, 0, "0_a/one=pass@3"},
		"raised":          {func(g *target) { g.print(sent(1), sentAs(2, raise)) }, endRaised, 0, ""},
		"exit and raised": {func(g *target) { g.print(exit, sent(1), sentAs(2, raise)) }, endRaised, 0, ""},
		"raised beside the console": {func(g *target) {
			g.print(sent(1))
			g.say(recordAs(2, raise))
		}, endRaised, copyWait, ""},
		"a console that breaks off": {func(g *target) {
			g.print(sent(1), sent(2))
			_ = g.console.Close()
		}, endConsole, 0, "0_a/one=pass@3"},
		"no time is left": {func(g *target) { g.print(sent(1)) }, endStopped, time.Minute, ""},
		"in time": {func(g *target) {
			g.at(time.Minute-time.Millisecond, func() { g.print(sent(1), sent(2)) })
		}, endStopped, time.Minute, "0_a/one=pass@3"},
		"exit in time": {func(g *target) {
			g.at(time.Minute-time.Millisecond, func() { g.print(sent(1), sent(2), exit) })
		}, endExit, time.Minute, "0_a/one=pass@3"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newTarget(t)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				go tt.do(g)
				err := g.wait(ctx, false, tt.want, tt.after)
				if broken := tt.want == endConsole || tt.want == endStopped; broken != (err != nil) {
					t.Error(err)
				}
				if got := g.cases(); got != tt.cases {
					t.Errorf("got %q, want %q", got, tt.cases)
				}
			})
		})
	}
}

// TestCopyLinesOfTwo has runs of the same number report for two consoles: each gets its own.
func TestCopyLinesOfTwo(t *testing.T) {
	lines := []byte("@0.1 " + record(1) + "@two:0.1 " + record(2) + "@two:0.0 " + record(3) + "@0.0 " + record(4) +
		"@tw:0.1 " + record(2) + "@:0.1 " + record(2) + "two:0.1 " + record(2) + "@two:0.1 " + manifest(1))
	for _, w := range []struct{ console, mark, want, manifest string }{
		{"", "@0.1 ", record(1) + record(4), ""},
		{"two", "@two:0.1 ", record(2) + record(3), manifest(1)},
	} {
		var c copies
		c.of(token{w.console, 0, 1})
		c.add(lines, time.Time{})
		var got string
		for _, l := range c.waiting {
			got += string(l.line)
		}
		if got != w.want || string(c.manifest) != w.manifest || string(c.mark) != w.mark {
			t.Errorf("console %q: got %q and %q with the mark %q", w.console, got, c.manifest, c.mark)
		}
	}
}

// TestCopyLines takes the lines of a run from a device that a test writes to as well, cut anywhere, and late records of
// earlier runs.
func TestCopyLines(t *testing.T) {
	device := strings.Join([]string{
		"@0.1 " + record(1), "@0.1 " + strings.Repeat("x", maxCopyLine) + "\n", "noise\n", record(3), "@0.2 noise\n",
		"@9.9 " + manifest(3), "@0.0 " + record(2), "@0.1 " + manifest(2), strings.Repeat("y", 3*maxCopyLine), "\n",
		"@0.1 " + record(4), "@0.1 not ended",
	}, "")
	want := record(1) + record(2) + record(4)
	for _, size := range []int{1, 7, 100, len(device)} {
		var c copies
		c.of(token{number: 1})
		for rest := []byte(device); len(rest) > 0; {
			n := min(size, len(rest))
			c.add(rest[:n], time.Time{})
			rest = rest[n:]
		}
		var got bytes.Buffer
		for _, w := range c.waiting {
			got.Write(w.line)
		}
		if got.String() != want || string(c.manifest) != manifest(2) {
			t.Errorf("%d bytes at once: got %q and %q, want %q", size, got.String(), c.manifest, want)
		}
	}
}
