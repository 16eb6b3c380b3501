package lab_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/jobs/lab"
)

// TestStreams: each stream that a runner may send has its own file, and no other name is known.
func TestStreams(t *testing.T) {
	files := map[lab.Stream]string{
		"console": "console.log", "times": "console.times", "events": "events.jsonl", "copies": "results.dev",
		"console-uart1": "console-uart1.log", "times-uart1": "console-uart1.times", "console-a_b-2": "console-a_b-2.log",
		"copies-two": "results-two.dev",
	}
	for s, want := range files {
		if !s.Known() || s.File() != want {
			t.Errorf("%s: known %t, its file is %s", s, s.Known(), s.File())
		}
	}
	for _, s := range []lab.Stream{
		"", "x", "console-", "times-", "events-x", "console-../x", "console-A", "console-a/b", "console-a.log",
		lab.Stream("console-" + strings.Repeat("x", 33)),
	} {
		if s.Known() {
			t.Errorf("%q is known", s)
		}
	}
}

// TestFurtherStreams finds the consoles among the files of a run.
func TestFurtherStreams(t *testing.T) {
	files := []string{"events.jsonl", "console.log", "console-b.log", "console-b.times", "console-a.log", "console-X.log"}
	want := []lab.Stream{"console-a", "times-a", "copies-a", "console-b", "times-b", "copies-b"}
	if d := cmp.Diff(want, lab.FurtherStreams(files)); d != "" {
		t.Error(d)
	}
	files = nil
	for c := 'a'; c <= 'z'; c++ {
		files = append(files, "console-"+string(c)+".log")
	}
	if got := lab.FurtherStreams(files); len(got) != 24 {
		t.Errorf("%d streams", len(got))
	}
}
