package plan_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/plan"
)

// TestNonFatal has steps fail in every way that a job goes on after, or does not, and looks at what of the rest is
// told.
func TestNonFatal(t *testing.T) {
	early := results.Failf(results.ClassTest, "0_a ended early")
	slow := func(ctx context.Context, _ *plan.Run) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	no := func(context.Context, *plan.Run) error {
		return results.Failf(results.ClassInfrastructure, "the shell did not come back: still asleep")
	}
	yes := func(context.Context, *plan.Run) error { return nil }
	for name, c := range map[string]struct {
		first, restore plan.Do
		boot           bool // there is one after the second test
		fails          bool // the last test does
		want           string
	}{
		"ended early": {
			func(context.Context, *plan.Run) error { return plan.NonFatal(early) }, nil, false, false,
			"ran b, ran c, test: 2 step: 0_a ended early",
		},
		"twice": {
			func(context.Context, *plan.Run) error { return plan.NonFatal(early) }, nil, false, true,
			"ran b, ran c, job: 4 step: gone; before that: 2 step: 0_a ended early",
		},
		"and results are lost": {
			func(context.Context, *plan.Run) error {
				return plan.NonFatal(&results.MissingError{What: "1 result is missing", Cause: early})
			}, nil, false, true,
			"ran b, ran c, job: 4 step: gone; before that: 2 step: 0_a ended early (1 result is missing) (1 result is missing)",
		},
		"ended": {
			func(context.Context, *plan.Run) error { return early }, nil, false, false,
			"missing b: the job ended before it, missing c: the job ended before it, test: 2 step: 0_a ended early",
		},
		"skipped": {slow, yes, false, false, "ran b, ran c, "},
		"no shell": {
			slow, no, false, false,
			"missing b: first timed out, and the shell did not come back: still asleep, missing c: first timed out, and the " +
				"shell did not come back: still asleep, timeout: 2 step: first timed out after 1s; the shell did not come back: " +
				"still asleep",
		},
		"no shell, booted": {
			slow, no, true, false,
			"missing b: first timed out, and the shell did not come back: still asleep, ran boot, ran c, timeout: 2 step: " +
				"first timed out after 1s; the shell did not come back: still asleep",
		},
		"nothing to recall": {slow, nil, false, false, "ran b, ran c, "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, _ := run(t, nil)
				var got []string
				test := func(level, name string, do plan.Do) *plan.Node {
					n := &plan.Node{Level: level, Name: name, Budget: true, Timeout: time.Second, Attempts: 1, Skip: true}
					n.Nodes = []*plan.Node{{Level: level, Name: "step", Budget: true, Timeout: time.Hour, Attempts: 1, Do: do}}
					plan.SetNotRun(n, func(_ *plan.Run, why string) { got = append(got, "missing "+name+": "+why) })
					plan.SetRestore(n, "shell", c.restore)
					return n
				}
				ran := func(name string, err error) plan.Do {
					return func(context.Context, *plan.Run) error { got = append(got, "ran "+name); return err }
				}
				var fails error
				if c.fails {
					fails = results.Failf(results.ClassJob, "gone")
				}
				nodes := []*plan.Node{test("2", "first", c.first), test("3", "b", ran("b", nil))}
				if c.boot {
					boot := &plan.Node{Level: "3.5", Name: "boot", Timeout: time.Second, Attempts: 1, Do: ran("boot", nil)}
					plan.SetProvides(boot, "shell")
					nodes = append(nodes, boot)
				}
				nodes = append(nodes, test("4", "c", ran("c", fails)))
				p := &plan.Plan{Root: &plan.Node{Name: "job", Timeout: time.Hour, Attempts: 1, Nodes: nodes}}
				err := p.Execute(t.Context(), r)
				end := ""
				if err != nil {
					end = string(results.ClassOf(err)) + ": " + err.Error()
				}
				if got := strings.Join(append(got, end), ", "); got != c.want {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
			})
		})
	}
}

// TestEndBetweenAttempts ends a job while it waits to try again: what ended it is told, not what failed before.
func TestEndBetweenAttempts(t *testing.T) {
	for name, c := range map[string]struct {
		job, block time.Duration
		budget     bool
		cancel     error
		want       string
	}{
		"interrupted": {time.Hour, time.Hour, false, context.Canceled, "canceled: 2 retry: context canceled"},
		"superseded": {
			time.Hour, time.Hour, false, results.Failf(results.ClassCanceled, "superseded"), "canceled: 2 retry: superseded",
		},
		"job's time":    {time.Minute, time.Hour, false, nil, "timeout: 2 retry: job timed out after 1m0s"},
		"block's time":  {time.Hour, time.Minute, false, nil, "infrastructure: 2 retry: retry timed out after 1m0s"},
		"tests' budget": {time.Hour, time.Minute, true, nil, "timeout: 2 retry: retry timed out after 1m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, _ := run(t, nil)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if c.cancel != nil {
					time.AfterFunc(time.Minute, func() { cancel(c.cancel) })
				}
				n := &plan.Node{
					Level: "2", Name: "retry", Budget: c.budget, Timeout: c.block, Attempts: 3,
					Interval: 30 * time.Minute, Nodes: []*plan.Node{{
						Level: "2.1", Name: "on", Budget: c.budget, Timeout: c.block, Attempts: 1,
						Do: func(context.Context, *plan.Run) error {
							return results.Failf(results.ClassInfrastructure, "PDU silent")
						},
					}},
				}
				p := &plan.Plan{Root: &plan.Node{Name: "job", Timeout: c.job, Attempts: 1, Nodes: []*plan.Node{n}}}
				err := p.Execute(ctx, r)
				want := c.want + ", while waiting to try again after: 2.1 on: PDU silent"
				if got := string(results.ClassOf(err)) + ": " + err.Error(); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			})
		})
	}
}
