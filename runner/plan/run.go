package plan

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/journal"
)

// Run is what every step of an attempt is given, whatever its method.
type Run struct {
	ID      string // of the attempt: names its guests and containers
	Dir     string // the attempt's own folder
	Journal *journal.Journal
	Emit    func(results.Event) // safe for several goroutines
	Logger  *slog.Logger

	mu      sync.Mutex
	node    *Node                   // the leaf now running
	fatal   error                   // of Stop
	stop    context.CancelCauseFunc // ends the step now running
	skipped error                   // the first timeout that was skipped
}

// Step is a step of the plan that runs.
type Step struct {
	Section    string
	Namespace  string        // "" for the one of actions that name none
	Connection time.Duration // the longest wait for one answer of the target, where LAVA bounds such waits
}

// Running is the step now running, or the last one that ran; the zero Step before the first.
func (r *Run) Running() Step {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.node == nil {
		return Step{}
	}
	return Step{Section: r.node.Section, Namespace: r.node.namespace(), Connection: r.node.Connection}
}

// Stop ends the step now running, or the next one, with err, for goroutines that watch the target. A retry starts
// without it.
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

// begin makes a leaf the one that runs.
func (r *Run) begin(n *Node, stop context.CancelCauseFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.node, r.stop = n, stop
	if r.fatal != nil {
		stop(r.fatal)
	}
}

// forget drops the error of Stop, for a retry.
func (r *Run) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fatal, r.stop = nil, nil
}

// Logf writes a line for people into the record.
func (r *Run) Logf(level, format string, a ...any) {
	r.Emit(results.Event{Log: &results.Log{Level: level, Message: fmt.Sprintf(format, a...)}})
}

// expired is the cause of the context of a node whose time ran out.
type expired struct {
	node  *Node
	after time.Duration
}

func (e *expired) Error() string { return fmt.Sprintf("%s timed out after %s", e.node.Name, e.after) }

// explain completes the error that a step ended with: by the cause of its context, its class, and its place in the
// plan.
func explain(ctx context.Context, n *Node, err error) error {
	if err == nil {
		return nil
	}
	cause, blame := context.Cause(ctx), n.Blame
	if cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w (%v)", cause, err) //nolint:errorlint // one cause, the other is its echo
	}
	if x := (*expired)(nil); errors.As(err, &x) && (x.node.Level == "" || n.Budget) {
		blame = results.ClassTimeout
	} else if errors.Is(err, context.Canceled) {
		blame = results.ClassCanceled
	}
	return &results.StepError{Level: n.Level, Name: n.Name, Err: results.Blame(blame, err)}
}
