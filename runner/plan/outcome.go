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

// NonFatal marks an error after which the job's next actions can run all the same, and run: the job still ends with it.
// A definition that ends early is no reason to lose the others, and LAVA goes on, too.
func NonFatal(err error) error {
	if err == nil {
		return nil
	}
	return &nonFatalError{err}
}

// Skipped is the first timeout that the job was told to skip, nil without one. It is why what that step had to report
// is missing. It is for after Execute.
func (r *Run) Skipped() error { return r.skipped }

// branch is what the nodes of a branch leave behind as they are walked.
type branch struct {
	run  *Run
	kept error          // the first one that the job went on after
	gone map[any]string // places whose content is lost, and why
}

// keep remembers an error after which the job goes on.
func (b *branch) keep(err error) {
	if b.kept == nil {
		b.kept = err
	}
}

// after decides what a node's error means: the error returned ends the branch.
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

// restore brings back what a node used whose time ran out with err.
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
	if b.gone == nil {
		b.gone = map[any]string{}
	}
	b.gone[n.restore.place] = why
	b.keep(fmt.Errorf("%w; %v", err, e)) //nolint:errorlint // the first is the cause
	return ctx.Err()
}

// skip says that a node cannot run because what it requires is lost, and reports what that loses.
func (b *branch) skip(n *Node) bool {
	for _, p := range n.requires {
		if why := b.gone[p]; why != "" {
			n.reportNotRun(b.run, why)
			return true
		}
	}
	for _, p := range n.provides {
		delete(b.gone, p)
	}
	return false
}

// end is what the branch ends with, when err ends it before rest.
func (b *branch) end(err error, rest []*Node) error {
	for _, n := range rest {
		n.reportNotRun(b.run, "the job ended before it")
	}
	if b.kept == nil {
		return err
	}
	err = fmt.Errorf("%w; before that: %v", err, b.kept) //nolint:errorlint // the first has ended the job
	if lost := (*results.MissingError)(nil); errors.As(b.kept, &lost) {
		return &results.MissingError{What: lost.What, Cause: err}
	}
	return err
}

func (n *Node) reportNotRun(r *Run, why string) {
	if n.notRun != nil {
		n.notRun(r, why)
	}
}

// waitError is what a node ends with whose wait for the next attempt was broken off by cause: that ended it, and not
// the attempt before.
func waitError(ctx context.Context, n *Node, cause, last error) error {
	waiting := *n
	waiting.Blame = results.ClassOf(last)
	err := explain(ctx, &waiting, cause)
	return fmt.Errorf("%w, while waiting to try again after: %v", err, last) //nolint:errorlint // not the cause
}
