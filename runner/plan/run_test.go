package plan_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/runner/plan"
)

// run is a Run whose events are kept.
func run(t *testing.T, undo journal.Undoers) (*plan.Run, *[]results.Event) {
	t.Helper()
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal"), undo)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	events := &[]results.Event{}
	return &plan.Run{
		Journal: j, Logger: slog.New(slog.DiscardHandler),
		Emit: func(e results.Event) { *events = append(*events, e) },
	}, events
}

func wait(ctx context.Context, _ *plan.Run) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestBlame(t *testing.T) {
	for _, tt := range []struct {
		name      string
		budget    bool
		job, step time.Duration
		cancel    error
		do        plan.Do
		want      results.Class
		msg       string
	}{
		{
			"step's time", false, time.Hour, time.Minute, nil, wait, results.ClassJob,
			"1 x: x timed out after 1m0s (context deadline exceeded)",
		},
		{
			"test's time", true, time.Hour, time.Minute, nil, wait, results.ClassTimeout,
			"1 x: x timed out after 1m0s (context deadline exceeded)",
		},
		{
			"job's time", false, time.Minute, time.Hour, nil, wait, results.ClassTimeout,
			"1 x: job timed out after 1m0s (context deadline exceeded)",
		},
		{
			"superseded", false, time.Hour, time.Hour, results.Failf(results.ClassCanceled, "superseded by 1a2b3c"), wait,
			results.ClassCanceled, "1 x: superseded by 1a2b3c (context canceled)",
		},
		{
			"bug", false, time.Hour, time.Hour, nil, func(context.Context, *plan.Run) error { panic("no") }, results.ClassBug,
			"1 x: panic: no",
		},
		{"kernel panic", false, time.Hour, time.Hour, nil, func(ctx context.Context, r *plan.Run) error {
			r.Stop(results.Failf(results.ClassJob, "Kernel panic"))
			return wait(ctx, r)
		}, results.ClassJob, "1 x: Kernel panic (context canceled)"},
		{
			"the classification nearest the cause wins", false, time.Hour, time.Hour, nil,
			func(context.Context, *plan.Run) error {
				return results.Failf(results.ClassInfrastructure, "PDU silent")
			},
			results.ClassInfrastructure, "1 x: PDU silent",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, _ := run(t, nil)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if tt.cancel != nil {
					cancel(tt.cancel)
				}
				leaf := &plan.Node{
					Level: "1", Name: "x", Budget: tt.budget, Blame: results.ClassJob, Timeout: tt.step, Attempts: 1, Do: tt.do,
				}
				p := &plan.Plan{Root: &plan.Node{Name: "job", Timeout: tt.job, Nodes: []*plan.Node{leaf}}}
				err := p.Execute(ctx, r)
				if results.ClassOf(err) != tt.want || err.Error() != tt.msg {
					t.Errorf("%s: %v\nwant %s: %s", results.ClassOf(err), err, tt.want, tt.msg)
				}
			})
		})
	}
}

// TestRetry undoes an attempt before the next one, waits in between, and keeps what came before the retried node.
func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var trace []string
		r, events := run(t, journal.Undoers{"x": func(_ context.Context, arg string) error {
			trace = append(trace, "undo "+arg)
			return nil
		}})
		step := func(name string, fails int) *plan.Node {
			do := func(_ context.Context, r *plan.Run) error {
				trace = append(trace, name)
				if err := r.Journal.Before("x", name); err != nil {
					return err
				}
				if fails--; fails >= 0 {
					return results.Failf(results.ClassInfrastructure, "not yet")
				}
				return nil
			}
			return &plan.Node{Name: name, Blame: results.ClassJob, Timeout: time.Minute, Attempts: 1, Do: do}
		}
		retried := &plan.Node{
			Name: "retry", Timeout: time.Hour, Attempts: 3, Interval: time.Second,
			Nodes: []*plan.Node{step("on", 0), step("login", 2)},
		}
		p := &plan.Plan{Root: &plan.Node{Name: "job", Timeout: time.Hour, Nodes: []*plan.Node{step("deploy", 0), retried}}}
		start := time.Now()
		if err := p.Execute(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"deploy", "on", "login", "undo login", "undo on", "on", "login", "undo login", "undo on", "on", "login",
		}
		if d := cmp.Diff(want, trace); d != "" {
			t.Error(d)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("two waits of a second took %s", took)
		}
		tries := 0
		for _, e := range *events {
			if e.Step != nil && e.Step.Name == "retry" && e.Step.End {
				tries = e.Step.Try
			}
		}
		if tries != 3 {
			t.Errorf("the record says %d tries", tries)
		}
	})
}

func TestSkip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := run(t, nil)
		ran := false
		slow := &plan.Node{Name: "slow", Budget: true, Timeout: time.Second, Attempts: 1, Skip: true, Nodes: []*plan.Node{
			{Name: "lava-test-shell", Budget: true, Timeout: time.Hour, Attempts: 1, Do: wait},
		}}
		next := &plan.Node{Name: "next", Timeout: time.Minute, Attempts: 1, Do: func(context.Context, *plan.Run) error {
			ran = true
			return nil
		}}
		p := &plan.Plan{Root: &plan.Node{Name: "job", Timeout: time.Hour, Nodes: []*plan.Node{slow, next}}}
		if err := p.Execute(t.Context(), r); err != nil || !ran {
			t.Errorf("after a test block that may be skipped: %v, next ran: %v", err, ran)
		}
	})
}
