package scheduler_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/app/scheduler"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

// patience is how long a test waits for what must happen. A test that passes never waits for so long.
const patience = 5 * time.Minute

// testLab is a scheduler at work, with one runner that has two targets.
type testLab struct {
	*scheduler.Scheduler
	store   *store.Store
	runner  string
	ahead   atomic.Int64  // of the wall clock, in nanoseconds
	changed chan struct{} // holds one
}

func newLab(t *testing.T) *testLab {
	t.Helper()
	l := &testLab{changed: make(chan struct{}, 1)}
	dir, ctx := t.TempDir(), t.Context()
	var err error
	l.store, err = store.Open(ctx, store.Options{
		DSN: filepath.Join(dir, "lab.db"),
		Now: func() time.Time { return time.Now().Add(time.Duration(l.ahead.Load())) },
		RunChanged: func(context.Context, *store.Tx, string) error {
			select {
			case l.changed <- struct{}{}:
			default:
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := store.OpenBlobs(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	l.Scheduler, err = scheduler.New(ctx, scheduler.Options{
		Store: l.store, Blobs: blobs, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	l.connect(t)
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	stopped := make(chan struct{})
	go func() { defer close(stopped); l.Run(running) }()
	t.Cleanup(func() {
		stop()
		<-stopped
		if err := errors.Join(blobs.Close(), l.store.Close()); err != nil {
			t.Error(err)
		}
	})
	return l
}

// connect enrolls the runner, and announces its targets.
func (l *testLab) connect(t *testing.T) {
	t.Helper()
	token, err := l.store.NewEnrollment(t.Context(), "", time.Hour)
	if err == nil {
		l.runner, err = l.store.Enroll(t.Context(), token, "r", store.HashSecret("s"))
	}
	if err == nil {
		err = l.store.ConnectRunner(t.Context(), l.runner, "session", "replica", lab.Announcement{
			Targets: []lab.Target{{Name: "a", Type: "qemu"}, {Name: "b", Type: "qemu"}},
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// queue queues a run.
func (l *testLab) queue(t *testing.T) (id string) {
	t.Helper()
	err := l.store.Tx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		run, _, err := l.store.CreateRun(ctx, tx, store.RunSpec{
			Name: "smoke", Source: lab.Source{Repository: "o/r", Commit: "abc"}, Trust: lab.Trusted, TargetType: "qemu",
			Job: []byte("x"), QueueTimeout: time.Hour,
		})
		id = run.ID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// until waits until the run is as wanted.
func (l *testLab) until(
	t *testing.T, id string, want func(store.Run, []store.Attempt) bool,
) (store.Run, []store.Attempt) {
	t.Helper()
	end := time.After(patience)
	for {
		run, err := l.store.Run(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		attempts, err := l.store.Attempts(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if want(run, attempts) {
			// The two were read one after the other: what the run is now may be later than what it was then.
			if run, err = l.store.Run(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			return run, attempts
		}
		select {
		case <-l.changed:
		case <-time.After(5 * time.Millisecond): // a change is signaled before its commit
		case <-end:
			t.Fatalf("%+v, attempts %+v", run, attempts)
		}
	}
}

// lease waits until the run has its attempt of that number, and acknowledges the lease.
func (l *testLab) lease(t *testing.T, id string, attempt int) store.Attempt {
	t.Helper()
	_, attempts := l.until(t, id, func(r store.Run, as []store.Attempt) bool {
		return r.State == store.RunRunning && len(as) == attempt
	})
	a := attempts[attempt-1]
	if lost, _, err := l.store.KeepLeases(t.Context(), l.runner, []string{a.LeaseID}); err != nil || len(lost) > 0 {
		t.Fatal(lost, err)
	}
	return a
}

// pass moves the clock, and keeps the runner connected.
func (l *testLab) pass(t *testing.T, d time.Duration) {
	t.Helper()
	l.ahead.Add(int64(d))
	if _, err := l.store.RenewRunners(t.Context(), "replica"); err != nil {
		t.Fatal(err)
	}
}

// TestSilence: when its runner is silent, an attempt is lost, and the run is executed again on the other target. A pass
// without a record does not pass.
func TestSilence(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	id := l.queue(t)
	first := l.lease(t, id, 1)
	l.pass(t, lab.LeaseTimeout+time.Second)
	second := l.lease(t, id, 2)
	if second.Target == first.Target {
		t.Errorf("the second attempt is on %s again", first.Target)
	}
	if err := l.Finish(t.Context(), l.runner, lab.Outcome{Lease: first.LeaseID}); !errors.Is(err, store.ErrLeaseLost) {
		t.Errorf("a lost lease ended with %v", err)
	}
	pass := lab.Outcome{Lease: second.LeaseID, Verdict: results.VerdictPass, Complete: true}
	for range 2 { // repeating it does no harm
		if err := l.Finish(t.Context(), l.runner, pass); err != nil {
			t.Fatal(err)
		}
	}
	run, attempts := l.until(t, id, func(r store.Run, _ []store.Attempt) bool { return r.State == store.RunCompleted })
	if run.Class != results.ClassInfrastructure || run.Verdict.Verdict != results.VerdictIncomplete {
		t.Errorf("%+v", run.Verdict)
	}
	if !strings.Contains(attempts[0].Message, "silent") || !strings.Contains(attempts[1].Message, "record") {
		t.Errorf("%q, %q", attempts[0].Message, attempts[1].Message)
	}
}

// TestNeverAccepted: an attempt of which the runner never heard does not count.
func TestNeverAccepted(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	id := l.queue(t)
	_, before := l.until(t, id, func(_ store.Run, as []store.Attempt) bool { return len(as) == 1 })
	l.pass(t, lab.LeaseTimeout+time.Second)
	l.until(t, id, func(_ store.Run, as []store.Attempt) bool {
		return len(as) == 1 && as[0].LeaseID != before[0].LeaseID
	})
	// What until returns of the run was read before the attempts were.
	if run, err := l.store.Run(t.Context(), id); err != nil || run.Attempts != 1 {
		t.Errorf("%d attempts, %v", run.Attempts, err)
	}
}

// TestCutOff: an attempt that a crash cut off is retried. If something could not be undone, its target is bad.
func TestCutOff(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	id := l.queue(t)
	first := l.lease(t, id, 1)
	for range 2 { // repeating it does no harm
		if err := l.CutOff(t.Context(), l.runner, first.LeaseID, "found", "the PDU is silent"); err != nil {
			t.Fatal(err)
		}
	}
	second := l.lease(t, id, 2)
	targets, err := l.store.Targets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range targets {
		if bad := target.Health == lab.Bad; bad != (target.Name == first.Target) {
			t.Errorf("after the crash on %s, %s is %s", first.Target, target.Name, target.Health)
		}
	}
	if err := l.CutOff(t.Context(), l.runner, second.LeaseID, "found", ""); err != nil {
		t.Fatal(err)
	}
	l.until(t, id, func(r store.Run, _ []store.Attempt) bool { return r.State == store.RunCompleted })
}

// TestExpired: a run that waits for too long ends as a failure of the lab.
func TestExpired(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for range 2 { // they occupy the targets
		l.lease(t, l.queue(t), 1)
	}
	id := l.queue(t)
	l.ahead.Add(int64(2 * time.Hour))
	run, attempts := l.until(t, id, func(r store.Run, _ []store.Attempt) bool { return r.State == store.RunCompleted })
	if run.Class != results.ClassInfrastructure || len(attempts) != 0 {
		t.Errorf("%+v, %d attempts", run.Verdict, len(attempts))
	}
}
