package wire

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/agent"
)

// A canceled run is completed at once and stays so; its target comes back when the runner has cleaned up.
func TestCancel(t *testing.T) {
	l := newLab(t)
	began, cause := make(chan agent.Assignment, 2), make(chan error, 2)
	id := l.create(t)
	l.runner(t, "r", "http://"+l.addr, func(o *agent.Options) {
		o.Execute = func(ctx context.Context, a agent.Assignment, dir string) (results.Results, error) {
			if a.Run != id {
				return passing(ctx, a, dir)
			}
			began <- a
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return passing(ctx, a, dir) // too late
		}
	})
	receive(t, began, "beginning")
	next := l.create(t)
	waits := l.create(t, func(s *store.RunSpec) { s.TargetType = "none" })
	l.cancel(t, waits)
	l.cancel(t, id)
	for _, id := range []string{id, waits} {
		if run, err := l.store.Run(t.Context(), id); err != nil || run.State != store.RunCompleted ||
			run.Verdict.Verdict != results.VerdictCanceled || run.Message != "superseded" {
			t.Errorf("canceled: %+v, %v", run, err)
		}
	}
	if err := receive(t, cause, "cancel"); results.ClassOf(err) != results.ClassCanceled || err.Error() != "superseded" {
		t.Errorf("cause: %v", err)
	}
	_, attempts := l.wait(t, id, "ended", func(_ store.Run, as []store.Attempt) bool { return as[0].Ended })
	if len(attempts) != 1 || attempts[0].Verdict.Verdict != results.VerdictPass {
		t.Errorf("attempts: %+v", attempts)
	}
	if run, _ := l.wait(t, next, "completed", completed); run.Verdict.Verdict != results.VerdictPass {
		t.Errorf("next: %+v", run)
	}
	if run, err := l.store.Run(t.Context(), id); err != nil || run.Verdict.Verdict != results.VerdictCanceled {
		t.Errorf("it did not stay canceled: %+v, %v", run, err)
	}
}

// Two runners, many runs: each run is executed exactly once, and no target by two runs at a time.
func TestRace(t *testing.T) {
	l := newLab(t)
	var mu sync.Mutex
	executed, busy := map[string]int{}, map[string]bool{}
	for _, name := range []string{"a", "b"} {
		l.runner(t, name, "http://"+l.addr, func(o *agent.Options) {
			o.Execute = func(ctx context.Context, a agent.Assignment, dir string) (results.Results, error) {
				mu.Lock()
				executed[a.Run]++
				if busy[a.Target] {
					t.Errorf("%s is used twice", a.Target)
				}
				busy[a.Target] = true
				mu.Unlock()
				defer func() { mu.Lock(); busy[a.Target] = false; mu.Unlock() }()
				return passing(ctx, a, dir)
			}
		})
	}
	var ids []string
	for range 30 {
		ids = append(ids, l.create(t))
	}
	for _, id := range ids {
		run, attempts := l.wait(t, id, "completed", completed)
		if run.Verdict.Verdict != results.VerdictPass || len(attempts) != 1 {
			t.Errorf("%+v, %d attempts", run, len(attempts))
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for id, n := range executed {
		if n != 1 {
			t.Errorf("run %s was executed %d times", id, n)
		}
	}
}

// The second attempt at a run goes to another target, though the first one is idle sooner; there is no third.
func TestSecondAttempt(t *testing.T) {
	for _, targets := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d targets", targets), func(t *testing.T) {
			l := newLab(t)
			l.runner(t, "r", "http://"+l.addr, func(o *agent.Options) {
				o.Targets = func() []lab.Target {
					return []lab.Target{{Name: "one", Type: "qemu"}, {Name: "two", Type: "qemu"}}[:targets]
				}
				o.Execute = func(_ context.Context, a agent.Assignment, dir string) (results.Results, error) {
					r, err := newRecord(a, dir)
					if err != nil {
						return results.Results{}, err
					}
					return r.end(results.Failf(results.ClassInfrastructure, "serial gone on %s", a.Target))
				}
			})
			run, attempts := l.wait(t, l.create(t), "completed", completed)
			if run.Verdict.Verdict != results.VerdictIncomplete || run.Class != results.ClassInfrastructure ||
				len(attempts) != 2 {
				t.Fatalf("%+v, attempts %+v", run, attempts)
			}
			if same := attempts[0].Target == attempts[1].Target; same != (targets == 1) {
				t.Errorf("attempts on %s and %s", attempts[0].Target, attempts[1].Target)
			}
		})
	}
}

// The runner holds to its own allow-list and its targets' trust, and the app assigns accordingly.
func TestAllowList(t *testing.T) {
	l := newLab(t)
	l.runner(t, "r", "http://"+l.addr, func(o *agent.Options) {
		o.Repositories = []string{"good/*"}
		o.Targets = func() []lab.Target {
			return []lab.Target{{Name: "x", Type: "qemu", Trust: lab.Approved, Tags: []string{"kvm"}}}
		}
	})
	repo := func(name string, trust lab.Trust) func(*store.RunSpec) {
		return func(s *store.RunSpec) { s.Source.Repository, s.Trust, s.Tags = name, trust, []string{"kvm"} }
	}
	evil, stranger := l.create(t, repo("evil/linux", lab.Trusted)), l.create(t, repo("good/linux", lab.Untrusted))
	good := l.create(t, repo("good/linux", lab.Approved))
	l.wait(t, good, "completed", completed)
	for _, id := range []string{evil, stranger} {
		if run, err := l.store.Run(t.Context(), id); err != nil || run.State != store.RunQueued {
			t.Errorf("%+v, %v", run, err)
		}
	}
	if place, err := l.store.QueuePlace(t.Context(), stranger); err != nil || place != 2 {
		t.Errorf("place %d, %v", place, err)
	}
}

// A runner that is stopped hands its run back: it is tried again, elsewhere.
func TestRunnerStopped(t *testing.T) {
	l := newLab(t)
	began := make(chan agent.Assignment, 2)
	id := l.create(t)
	n := l.runner(t, "r", "http://"+l.addr, func(o *agent.Options) { o.Execute = blocking(began) })
	receive(t, began, "beginning")
	n.stop(t)
	run, attempts := l.wait(t, id, "queued again", func(r store.Run, _ []store.Attempt) bool {
		return r.State == store.RunQueued
	})
	if run.Attempts != 1 || !attempts[0].Ended || attempts[0].Class != results.ClassInfrastructure {
		t.Errorf("%+v, attempts %+v", run, attempts)
	}
	l.runner(t, "other", "http://"+l.addr)
	if run, _ = l.wait(t, id, "completed", completed); run.Verdict.Verdict != results.VerdictPass {
		t.Errorf("%+v", run)
	}
}
