package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

func queueRun(t *testing.T, s *Store, spec RunSpec) (run Run, created bool) {
	t.Helper()
	spec.Name, spec.Job, spec.Source, spec.Trust = "smoke", []byte("x"), lab.Source{
		Repository: "o/r", Commit: "abc",
	}, lab.Trusted
	err := s.Tx(t.Context(), func(ctx context.Context, tx *Tx) (err error) {
		run, created, err = s.CreateRun(ctx, tx, spec)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return run, created
}

// There are runs for a type without idle targets, many runs that fit no target, and behind them one that fits.
func testSchedule(t *testing.T, s *Store) {
	ctx := t.Context()
	token, err := s.NewEnrollment(ctx, "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	runner, err := s.Enroll(ctx, token, "r", HashSecret("s"))
	if err != nil {
		t.Fatal(err)
	}
	var targets []lab.Target
	for i := range 40 {
		targets = append(targets, lab.Target{Name: fmt.Sprintf("t%d", i), Type: "qemu"})
	}
	targets = append(targets, lab.Target{Name: "special", Type: "qemu", Tags: []string{"special"}}, lab.Target{
		Name: "sick", Type: "pi", Health: lab.Bad,
	})
	if err := s.ConnectRunner(ctx, runner, "session", "replica", lab.Announcement{Targets: targets}); err != nil {
		t.Fatal(err)
	}
	err = s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		for range 150 {
			if _, _, err := s.CreateRun(
				ctx, tx, RunSpec{Name: "none", TargetType: "qemu", Tags: []string{"none"}, Job: []byte("x")},
			); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	queueRun(t, s, RunSpec{TargetType: "pi"})
	queueRun(t, s, RunSpec{TargetType: "unheard of"})
	deep, _ := queueRun(t, s, RunSpec{TargetType: "qemu", Tags: []string{"special"}})
	if n, err := s.Schedule(ctx); err != nil || n != 1 {
		t.Errorf("scheduled %d, %v", n, err)
	}
	if run, err := s.Run(ctx, deep.ID); err != nil || run.State != RunRunning || run.Attempts != 1 {
		t.Errorf("%+v, %v", run, err)
	}
	if n, err := s.Schedule(ctx); err != nil || n != 0 {
		t.Errorf("scheduled again: %d, %v", n, err)
	}
	for range 50 { // more than targets
		queueRun(t, s, RunSpec{TargetType: "qemu"})
	}
	if n, err := s.Schedule(ctx); err != nil || n != 40 {
		t.Errorf("scheduled %d for 40 targets, %v", n, err)
	}
	held, err := s.HeldLeases(ctx, runner)
	if err != nil || len(held) != 41 {
		t.Errorf("%d leases, %v", len(held), err)
	}
}

func TestRunKey(t *testing.T) {
	s := openTest(t)
	first, created := queueRun(t, s, RunSpec{Key: "k", TargetType: "qemu"})
	again, twice := queueRun(t, s, RunSpec{Key: "k", TargetType: "qemu"})
	if !created || twice || again.ID != first.ID {
		t.Errorf("%t, %t, %q, %q", created, twice, first.ID, again.ID)
	}
}

// A run that has waited for too long ends as a failure of the lab.
func TestQueueTimeout(t *testing.T) {
	s := openTest(t)
	now := time.Now()
	s.clock = func() time.Time { return now }
	hasty, _ := queueRun(t, s, RunSpec{TargetType: "qemu", QueueTimeout: time.Minute})
	queueRun(t, s, RunSpec{TargetType: "qemu"})
	if n, err := s.ExpireQueue(t.Context()); err != nil || n != 0 {
		t.Errorf("expired %d, %v", n, err)
	}
	now = now.Add(24 * time.Hour)
	if n, err := s.ExpireQueue(t.Context()); err != nil || n != 1 {
		t.Errorf("expired %d, %v", n, err)
	}
	run, err := s.Run(t.Context(), hasty.ID)
	if err != nil || run.State != RunCompleted || run.Verdict.Verdict != results.VerdictIncomplete ||
		run.Class != results.ClassInfrastructure {
		t.Errorf("%+v, %v", run, err)
	}
}

// The time of an attempt is not a wait: a run that is queued again may wait as long as the first time.
func testRequeue(t *testing.T, s *Store) {
	ctx, now := t.Context(), time.Now()
	s.clock = func() time.Time { return now }
	token, err := s.NewEnrollment(ctx, "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	runner, err := s.Enroll(ctx, token, "requeue", HashSecret("s"))
	if err != nil {
		t.Fatal(err)
	}
	schedule := func() (lease string) {
		t.Helper()
		if err := s.ConnectRunner(
			ctx, runner, "session", "replica", lab.Announcement{Targets: []lab.Target{{Name: "x", Type: "requeue"}}},
		); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Schedule(ctx); err != nil {
			t.Fatal(err)
		}
		held, err := s.HeldLeases(ctx, runner)
		if err != nil || len(held) != 1 {
			t.Fatalf("%d leases, %v", len(held), err)
		}
		return held[0].ID
	}
	waits := func(why string) {
		t.Helper()
		if n, err := s.ExpireQueue(ctx); err != nil || n != 0 {
			t.Errorf("%s: expired %d, %v", why, n, err)
		}
	}
	run, _ := queueRun(t, s, RunSpec{TargetType: "requeue", QueueTimeout: time.Hour})
	lease := schedule()
	now = now.Add(3 * time.Hour)
	if err := s.EndLease(ctx, runner, lease, End{Silent: true}); err != nil { // it never reached its runner
		t.Fatal(err)
	}
	waits("withdrawn")
	lease = schedule()
	now = now.Add(3 * time.Hour)
	if err := s.EndLease(
		ctx, runner, lease, End{Verdict: results.Decide(results.Failf(results.ClassInfrastructure, "no power"), nil)},
	); err != nil {
		t.Fatal(err)
	}
	now = now.Add(59 * time.Minute)
	waits("failed")
	now = now.Add(2 * time.Minute)
	if n, err := s.ExpireQueue(ctx); err != nil || n != 1 {
		t.Errorf("expired %d, %v", n, err)
	}
	if got, err := s.Run(ctx, run.ID); err != nil || got.State != RunCompleted || got.Attempts != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Runs that were completed long ago are deleted, with their logs. Runs that wait stay.
func TestForgetRuns(t *testing.T) {
	s := openTest(t)
	b, _ := openTestBlobs(t)
	old, _ := queueRun(t, s, RunSpec{TargetType: "qemu"})
	queueRun(t, s, RunSpec{TargetType: "qemu"})
	err := s.Tx(t.Context(), func(ctx context.Context, tx *Tx) error {
		_, err := s.CancelRun(ctx, tx, old.ID, "superseded")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Append(old.ID, 1, lab.Console, 0, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if ids, err := s.ForgetRuns(t.Context(), time.Now().Add(-time.Hour), 10); err != nil || len(ids) != 0 {
		t.Errorf("forgot %q, %v", ids, err)
	}
	ids, err := s.ForgetRuns(t.Context(), time.Now().Add(time.Hour), 10)
	if err != nil || len(ids) != 1 || ids[0] != old.ID {
		t.Fatalf("forgot %q, %v", ids, err)
	}
	if _, err := s.Run(t.Context(), old.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("run: %v", err)
	}
	for _, bad := range []string{"", ".", "..", "../runs", "a/b"} {
		if b.Remove(bad) == nil {
			t.Errorf("removed %q", bad)
		}
	}
	if err := b.Remove(old.ID); err != nil {
		t.Error(err)
	}
	if _, err := b.Open(old.ID, 1, lab.Console); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("streams: %v", err)
	}
}
