package plan

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gantry-ci/gantry/results"
)

// nonFatalError is an error after which the job goes on.
type nonFatalError struct{ error }

func (e *nonFatalError) Unwrap() error { return e.error }

// NonFatal marks an error after which the job's next actions are run; the job still ends with it. A definition that
// ends early is no reason to lose the others, and LAVA continues there, too.
func NonFatal(err error) error {
	if err == nil {
		return nil
	}
	return &nonFatalError{err}
}

// Skipped is the first timeout that was skipped because the job says so, nil without one: the reason why results of
// that step are missing. It must be called after Execute.
func (r *Run) Skipped() error { return r.skipped }

// branch is the state of the walk through a node's children.
type branch struct {
	run  *Run
	kept error          // the first error after which the job went on
	lost map[any]string // places whose content is lost, and why
}

// keep records an error after which the job goes on.
func (b *branch) keep(err error) {
	if b.kept == nil {
		b.kept = err
	}
}

// after decides what a node's error means for the branch: an error that it returns ends it.
func (b *branch) after(ctx context.Context, n *Node, err error) error {
	r := b.run
	if e := (*nonFatalError)(nil); errors.As(err, &e) && ctx.Err() == nil {
		if !strings.Contains(n.Level, ".") { // its steps have the same error
			r.Logf("warning", "%s %s: %v; the job goes on", n.Level, n.Name, err)
		}
		b.keep(err)
		return nil
	}
	if x := (*expired)(nil); err == nil || !n.Skip || !errors.As(err, &x) || ctx.Err() != nil {
		return err
	}
	r.Logf("warning", "%s %s: %v; its timeout says skip, so the job goes on", n.Level, n.Name, err)
	if r.skipped == nil {
		r.skipped = err
	}
	return b.restore(ctx, n, err)
}

// restore makes the place usable again that a node used when its time ran out with err.
func (b *branch) restore(ctx context.Context, n *Node, err error) error {
	if n.restore == nil {
		return nil
	}
	e := n.restore.do(ctx, b.run)
	if e == nil {
		return nil
	}
	why := fmt.Sprintf("%s timed out, and %v", n.Name, e)
	b.run.Logf("warning", "%s; what needs it is not run until an action provides it again", why)
	if b.lost == nil {
		b.lost = map[any]string{}
	}
	b.lost[n.restore.place] = why
	b.keep(fmt.Errorf("%w; %v", err, e)) //nolint:errorlint // the first is the cause
	return ctx.Err()
}

// skip reports whether a node cannot run because a place that it requires is lost. Its results are missing then.
func (b *branch) skip(n *Node) bool {
	for _, p := range n.requires {
		if why := b.lost[p]; why != "" {
			n.reportNotRun(b.run, why)
			return true
		}
	}
	for _, p := range n.provides {
		delete(b.lost, p)
	}
	return false
}

// end is the error of a branch that err ends before the nodes rest.
func (b *branch) end(err error, rest []*Node) error {
	for _, n := range rest {
		n.reportNotRun(b.run, "the job ended before it")
	}
	if b.kept == nil {
		return err
	}
	err = fmt.Errorf("%w; before that: %v", err, b.kept) //nolint:errorlint // the first has ended the job
	if missing := (*results.MissingError)(nil); errors.As(b.kept, &missing) {
		return &results.MissingError{What: missing.What, Cause: err}
	}
	return err
}

// reportNotRun reports that an action was not run, and why.
func (n *Node) reportNotRun(r *Run, why string) {
	if n.notRun != nil {
		n.notRun(r, why)
	}
}

// waitError is the error of a node whose wait for the next attempt was ended by cause. Last is the error of the attempt
// before, which did not end it.
func waitError(ctx context.Context, n *Node, cause, last error) error {
	waiting := *n
	waiting.Blame = results.ClassOf(last)
	err := explain(ctx, &waiting, cause)
	return fmt.Errorf("%w, while waiting to try again after: %v", err, last) //nolint:errorlint // not the cause
}
