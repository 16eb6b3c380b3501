package plan

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/kernlog"
	"github.com/gantry-ci/gantry/runner/journal"
)

// Run is what every step is given, whatever its method.
type Run struct {
	ID      string // of the attempt: names its guests and containers
	Dir     string // the attempt's own folder
	Record  Record
	Journal *journal.Journal
	Emit    func(results.Event) // safe for several goroutines
	Logger  *slog.Logger

	Symbols     bool          // stacks will be decoded: which builds the kernels are is to be found out
	Kernel      *kernlog.List // the kernel messages that are allowed or denied; nil for none
	TestRetries int           // how often the definitions of failed cases are run again

	mu      sync.Mutex
	node    *Node  // the leaf now running
	suite   string // the case now running
	name    string
	moves   int                     // how often the case changed
	kernels []Kernel                // in the order in which they ran
	bound   bool                    // what is running ends with the system
	fatal   error                   // why the attempt is lost
	stop    context.CancelCauseFunc // ends the step now running
	skipped error                   // the first timeout that the job was told to skip
}

// Record is where the consoles of an attempt are recorded, those of all boots in the same files.
type Record struct {
	Log   *os.File // the bytes
	Times *os.File // when they came, a jobs.Arrival a line
	Limit int64    // the most bytes of Log; 0 for no limit
}

// expired is the cause of a context whose time ran out.
type expired struct {
	node  *Node
	after time.Duration
}

func (e *expired) Error() string { return fmt.Sprintf("%s timed out after %s", e.node.Name, e.after) }

// Stop ends the step now running, or the next one, with err: how the kernel classifier reports a panic. A retry
// begins afresh.
func (r *Run) Stop(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fatal == nil {
		r.fatal = err
	}
	if r.stop != nil {
		r.stop(r.fatal)
	}
}

func (r *Run) begin(n *Node, stop context.CancelCauseFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.node, r.stop = n, stop
	if r.fatal != nil {
		stop(r.fatal)
	}
}

func (r *Run) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fatal, r.stop = nil, nil
}

// Logf writes a line for people into the record.
func (r *Run) Logf(level, format string, a ...any) {
	r.Emit(results.Event{Log: &results.Log{Level: level, Message: fmt.Sprintf(format, a...)}})
}

// Execute walks the plan.
func (p *Plan) Execute(ctx context.Context, r *Run) error { return r.walk(ctx, p.Root) }

// walk runs a node: its time, its attempts, its events.
func (r *Run) walk(ctx context.Context, n *Node) (err error) {
	outer := ctx
	ctx, cancel := context.WithTimeoutCause(ctx, n.Timeout, &expired{n, n.Timeout})
	defer cancel()
	for try := 1; ; try++ {
		mark, start := r.Journal.Mark(), time.Now()
		r.Emit(results.Event{Level: n.Level, Step: &results.Step{Name: n.Name, Try: try}})
		err = r.attempt(ctx, n)
		r.end(n, try, start, err)
		if err == nil || try >= n.Attempts || ctx.Err() != nil || results.ClassOf(err) == results.ClassBug {
			return err
		}
		if e := r.Journal.Rollback(outer, mark); e != nil {
			return results.Blame(results.ClassInfrastructure, errors.Join(e, err))
		}
		r.forget()
		if e := Sleep(ctx, n.Interval); e != nil {
			return between(ctx, n, e, err)
		}
	}
}

// end records how a node went: for the record, and as a case of the pipeline's suite, as LAVA has it.
func (r *Run) end(n *Node, try int, start time.Time, err error) {
	took := time.Since(start).Seconds()
	end := &results.Step{Name: n.Name, Try: try, End: true, Duration: took}
	c := &results.Case{Suite: results.PipelineSuite, Case: n.Name, Result: results.Pass, DurationS: &took}
	if err != nil {
		end.Class, end.Message = results.ClassOf(err), err.Error()
		c.Result, c.Message = results.Fail, end.Message
	}
	r.Emit(results.Event{Level: n.Level, Step: end})
	r.Emit(results.Event{Level: n.Level, Case: c})
}

// Sleep waits for d, or until ctx ends: then it returns its cause. It does not wait for nothing, or less.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// attempt runs a branch's children, or a leaf.
func (r *Run) attempt(ctx context.Context, n *Node) error {
	if n.Do != nil {
		return r.leaf(ctx, n)
	}
	t := trail{run: r}
	for i, c := range n.Nodes {
		if t.lost(c) {
			continue
		}
		if err := t.took(ctx, c, r.walk(ctx, c)); err != nil {
			return t.end(err, n.Nodes[i+1:])
		}
	}
	return t.kept
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

// explain says why a step ended: the cause of its context where that is why, its class, and where in the plan.
func explain(ctx context.Context, n *Node, err error) error {
	if err == nil {
		return nil
	}
	cause, blame := context.Cause(ctx), n.Blame
	if cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w (%v)", cause, err) //nolint:errorlint // one cause, the other is its echo
	}
	if x := (*expired)(nil); errors.As(err, &x) && (x.node.Level == "" || n.Section == "test") {
		blame = results.ClassTimeout
	} else if errors.Is(err, context.Canceled) {
		blame = results.ClassCanceled
	}
	return &results.StepError{Level: n.Level, Name: n.Name, Err: results.Blame(blame, err)}
}
