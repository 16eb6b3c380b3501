package wire

import (
	"encoding/json"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

// The way of a run: queued before its runner is there, assigned, executed, uploaded, finished.
func TestRun(t *testing.T) {
	for _, scheme := range []string{"http", "h2c"} {
		t.Run(scheme, func(t *testing.T) {
			l := newLab(t)
			id := l.create(t)
			l.runner(t, "r", scheme+"://"+l.addr)
			run, attempts := l.wait(t, id, "completed", completed)
			want := results.Verdict{Verdict: results.VerdictPass}
			if diff := cmp.Diff(want, run.Verdict); diff != "" {
				t.Error(diff)
			}
			if len(attempts) != 1 || !attempts[0].Ended || !attempts[0].Complete || attempts[0].Runner != "r" ||
				attempts[0].Target != "r-1" {
				t.Errorf("attempts: %+v", attempts)
			}
			var res results.Results
			if err := json.Unmarshal(attempts[0].Results, &res); err != nil || res.Count(results.Pass) != 2 ||
				res.Device != "r-1" || !res.Complete {
				t.Errorf("results: %+v, %v", res, err)
			}
			if got, want := l.stream(t, id, 1, lab.Console), fmt.Sprintf("booting %s\r\n", id); got != want {
				t.Errorf("console: %q, want %q", got, want)
			}
			if got := l.stream(t, id, 1, lab.Copies); got != "beside it" {
				t.Errorf("results beside the console: %q", got)
			}
			if got := l.stream(t, id, 1, lab.ConsoleStream("uart1")); got != "boot rom" {
				t.Errorf("the second console: %q", got)
			}
			if second := l.create(t); second == id {
				t.Error("a run without a key is shared")
			} else {
				l.wait(t, second, "completed", completed)
			}
		})
	}
}

// stream is what the app has of a stream.
func (l *testLab) stream(t testing.TB, run string, attempt int, s lab.Stream) string {
	t.Helper()
	f, err := l.blobs.Open(run, attempt, s)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
