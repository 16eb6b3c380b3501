package agent

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

func testAgent(t *testing.T, f ...func(*Options)) *Agent {
	t.Helper()
	o := Options{
		Server: "http://127.0.0.1:1", Name: "r", Dir: t.TempDir(),
		Targets: func() []lab.Target { return []lab.Target{{Name: "x", Type: "qemu", Trust: lab.Approved}} },
		Execute: func(context.Context, Assignment, string) (results.Results, error) { return results.Results{}, nil },
		Recover: func(context.Context, Assignment, string) error { return nil },
	}
	for _, f := range f {
		f(&o)
	}
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(a.runsDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	return a
}

// The waits grow to a limit, are drawn from the whole range, and end with the context.
func TestBackoff(t *testing.T) {
	almost := func() float64 { return 0.999999 }
	last := time.Duration(0)
	for n := range 100 {
		d := backoff(n, almost)
		if d < last || d > longestWait || d < longestWait && n >= 10 && longestWait-d > time.Second {
			t.Errorf("try %d: %s after %s", n, d, last)
		}
		last = d
		if d := backoff(n, func() float64 { return 0 }); d != 0 {
			t.Errorf("try %d: at least %s", n, d)
		}
	}
	if longestWait+callTimeout/3 > lab.LeaseTimeout {
		t.Error("a lease does not outlive a wait and a call")
	}
	synctest.Test(t, func(t *testing.T) {
		a := &Agent{o: Options{Rand: func() float64 { return 0.5 }}}
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		if !a.wait(ctx, 2) || time.Since(began) != 2*firstWait {
			t.Errorf("waited %s", time.Since(began))
		}
		time.AfterFunc(time.Millisecond, cancel)
		if a.wait(ctx, 20) || time.Since(began) > 3*firstWait {
			t.Error("the wait outlived its context")
		}
	})
}

func TestRefusal(t *testing.T) {
	a := testAgent(t, func(o *Options) { o.Repositories = []string{"o/*"} })
	ok := lab.Assignment{Target: "x", Trust: lab.Approved, Source: lab.Source{Repository: "o/r"}}
	for what, c := range map[string]struct {
		change func(*lab.Assignment)
		want   string
	}{
		"fine":               {func(*lab.Assignment) {}, ""},
		"another repository": {func(as *lab.Assignment) { as.Source.Repository = "evil/r" }, "allow-list"},
		"too little trust":   {func(as *lab.Assignment) { as.Trust = lab.Untrusted }, "trust"},
		"no such target":     {func(as *lab.Assignment) { as.Target = "y" }, "no target"},
	} {
		as := ok
		c.change(&as)
		if got := a.refusal(as); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", what, got)
		}
	}
}

// The id of a lease becomes the name of a folder.
func TestAssignRefusesPaths(t *testing.T) {
	a := testAgent(t)
	for _, lease := range []string{"", ".", "..", "../x", "a/b", "/etc", "a/..", "a b", "ä", strings.Repeat("a", 65)} {
		a.assign(t.Context(), lab.Assignment{Lease: lease, Target: "x"})
	}
	if got := a.leases(); len(got) != 0 {
		t.Errorf("accepted: %q", got)
	}
}

// TestStreamFiles: the streams of the wire have the names of the files that a run leaves.
func TestStreamFiles(t *testing.T) {
	if lab.Copies.File() != results.CopiesFile("") {
		t.Errorf("the stream %s is %s, the file is %s", lab.Copies, lab.Copies.File(), results.CopiesFile(""))
	}
}

func TestOutcome(t *testing.T) {
	a := testAgent(t)
	_, r := a.newRun(t.Context(), lab.Assignment{Lease: "l"})
	defer r.stop(nil)
	passed := results.Results{Verdict: results.Verdict{Verdict: results.VerdictPass, Complete: true}}
	failed := results.Results{
		Verdict: results.Verdict{Verdict: results.VerdictFail, Class: results.ClassTest, Complete: true},
	}
	for what, c := range map[string]struct {
		res     results.Results
		err     error
		verdict string
		class   results.Class
	}{
		"pass":                 {passed, nil, "pass", ""},
		"fail":                 {failed, nil, "fail", "test"},
		"pass that went wrong": {passed, errors.New("disk full"), "incomplete", "bug"},
		"fail that went wrong": {failed, errors.New("disk full"), "fail", "test"},
		"nothing but an error": {results.Results{}, results.Failf(results.ClassJob, "line 3"), "fail", "job"},
		"nothing at all":       {results.Results{}, nil, "incomplete", "bug"},
		"canceled before it began": {
			results.Results{}, results.Failf(results.ClassCanceled, "superseded"), "canceled", "canceled",
		},
	} {
		if o := outcomeOf(r, c.res, c.err); o.Verdict != c.verdict || o.Class != string(c.class) {
			t.Errorf("%s: %+v", what, o)
		}
	}
}

// Only folders of runs that are done are removed, the oldest first.
func TestPrune(t *testing.T) {
	a := testAgent(t, func(o *Options) { o.Keep = time.Hour })
	put := func(lease, file string, age time.Duration) {
		t.Helper()
		dir := filepath.Join(a.runsDir(), lease)
		path := filepath.Join(dir, file)
		err := errors.Join(
			os.MkdirAll(dir, 0o700), os.WriteFile(path, nil, 0o600), os.Chtimes(path, time.Now(), time.Now().Add(-age)),
		)
		if err != nil {
			t.Fatal(err)
		}
	}
	put("old", doneFile, 2*time.Hour)
	put("new", doneFile, time.Minute)
	put("unfinished", assignmentFile, 100*time.Hour)
	a.prune()
	entries, err := os.ReadDir(a.runsDir())
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{"new", "unfinished"}; !slices.Equal(left, want) {
		t.Errorf("left: %q, want %q", left, want)
	}
}

// A target on which something could not be undone is bad until it is.
func TestBadTarget(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var silent atomic.Bool
		silent.Store(true)
		a := testAgent(t, func(o *Options) {
			o.Dir = dir
			o.Recover = func(_ context.Context, as Assignment, dir string) error {
				if as.Target != "x" || filepath.Base(dir) != as.Lease {
					t.Errorf("recover %+v in %s", as, dir)
				}
				if silent.Load() {
					return errors.New("the PDU is silent")
				}
				return nil
			}
		})
		_, r := a.newRun(t.Context(), lab.Assignment{Lease: "l", Run: "r", Target: "x"})
		if err := os.Mkdir(r.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if a.undo(t.Context(), r) == nil || a.targets()[0].Health != lab.Bad {
			t.Fatalf("targets: %+v", a.targets())
		}
		a.working.Go(func() { a.retry(t.Context(), r) })
		time.Sleep(3*recoverRetry + time.Second)
		if a.targets()[0].Health != lab.Bad {
			t.Errorf("targets: %+v", a.targets())
		}
		silent.Store(false)
		time.Sleep(recoverRetry)
		if a.targets()[0].Health == lab.Bad || !exists(filepath.Join(r.dir, doneFile)) {
			t.Errorf("targets: %+v", a.targets())
		}
		a.working.Wait()
		r.stop(nil)
	})
}

// An agent that is stopped while it starts has stopped, and not failed: before it is enrolled, and while it undoes what
// a crash left, for which it waits.
func TestStoppedAtStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := testAgent(t).Run(ctx); err != nil {
		t.Errorf("before it was enrolled: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	var recovered atomic.Bool
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // it has lost the lease
		err := connect.NewError(connect.CodeFailedPrecondition, errors.New("lost"))
		if err := connect.NewErrorWriter().Write(w, r, err); err != nil {
			t.Error(err)
		}
	}))
	defer app.Close()
	a := testAgent(t, func(o *Options) {
		o.Server = app.URL
		o.Recover = func(context.Context, Assignment, string) error {
			cancel()
			recovered.Store(true)
			return nil
		}
	})
	if err := os.WriteFile(a.auth.path, []byte(`{"runner":"r","secret":"s"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, r := a.newRun(t.Context(), lab.Assignment{Lease: "l", Run: "r", Target: "x"})
	defer r.stop(nil)
	err := os.Mkdir(r.dir, 0o700)
	if err == nil {
		err = writeJSON(filepath.Join(r.dir, assignmentFile), r.Assignment)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Run(ctx); err != nil || !recovered.Load() {
		t.Errorf("while it starts: %v, what the crash left is taken back: %t", err, recovered.Load())
	}
	if left := a.leases(); len(left) > 0 {
		t.Errorf("still at work: %q", left)
	}
}

// A folder is for one agent.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lockFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockFile(path); !errors.Is(err, errInUse) {
		t.Errorf("locked twice: %v", err)
	}
	unlock()
	unlock, err = lockFile(path)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}
