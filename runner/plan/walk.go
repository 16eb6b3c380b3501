package plan

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/gantry-ci/gantry/internal/clock"
	"github.com/gantry-ci/gantry/results"
)

// Execute walks the plan.
func (p *Plan) Execute(ctx context.Context, r *Run) error { return r.walk(ctx, p.Root) }

// walk runs a node: its time, its attempts, its events.
func (r *Run) walk(ctx context.Context, n *Node) (err error) {
	outer := ctx
	ctx, cancel := context.WithTimeoutCause(ctx, n.Timeout, &expired{n, n.Timeout})
	defer cancel()
	for try := 1; ; try++ {
		mark, start := r.Journal.Mark(), time.Now()
		r.Emit(results.Event{Level: n.Level, Step: &results.Step{Name: n.Name, Try: try, Namespace: n.namespace()}})
		err = r.attempt(ctx, n)
		r.end(n, try, start, err)
		if err == nil || try >= n.Attempts || ctx.Err() != nil || results.ClassOf(err) == results.ClassBug {
			return err
		}
		if e := r.Journal.Rollback(outer, mark); e != nil {
			return results.Blame(results.ClassInfrastructure, errors.Join(e, err))
		}
		r.forget()
		if e := clock.Sleep(ctx, n.Interval); e != nil {
			return waitError(ctx, n, e, err)
		}
	}
}

// end records how a node went: as a step, and as a case of the pipeline's suite, as LAVA has it.
func (r *Run) end(n *Node, try int, start time.Time, err error) {
	elapsed := time.Since(start).Seconds()
	end := &results.Step{Name: n.Name, Try: try, Namespace: n.namespace(), End: true, Duration: elapsed}
	c := &results.Case{Suite: results.PipelineSuite, Case: n.Name, Result: results.Pass, DurationS: &elapsed}
	if err != nil {
		end.Class, end.Message = results.ClassOf(err), err.Error()
		c.Result, c.Message = results.Fail, end.Message
	}
	r.Emit(results.Event{Level: n.Level, Step: end})
	r.Emit(results.Event{Level: n.Level, Case: c})
}

// attempt runs a branch's children, or a leaf.
func (r *Run) attempt(ctx context.Context, n *Node) error {
	if n.Do != nil {
		return r.leaf(ctx, n)
	}
	b := branch{run: r}
	for i, c := range n.Nodes {
		if b.skip(c) {
			continue
		}
		if err := b.after(ctx, c, r.walk(ctx, c)); err != nil {
			return b.end(err, n.Nodes[i+1:])
		}
	}
	return b.kept
}

// leaf is the one place where a step's error gets its cause, its class and its place.
func (r *Run) leaf(ctx context.Context, n *Node) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer func() {
		if p := recover(); p != nil {
			r.Logf("error", "panic: %v\n%s", p, debug.Stack())
			err = results.Failf(results.ClassBug, "panic: %v", p)
		}
		err = explain(ctx, n, err)
	}()
	r.begin(n, cancel)
	return n.Do(ctx, r)
}
