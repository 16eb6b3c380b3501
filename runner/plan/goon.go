package plan

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gantry-ci/gantry/results"
)

// ongoing is an error after which the job goes on.
type ongoing struct{ error }

func (o *ongoing) Unwrap() error { return o.error }

// GoOn marks an error after which the job's next actions can run all the same, and run: the job still ends with it. A
// definition that ends early is no reason to lose the others, and LAVA goes on, too.
func GoOn(err error) error {
	if err == nil {
		return nil
	}
	return &ongoing{err}
}

// Skipped is the first timeout that the job was told to skip, nil without one. It is why what that step had to report
// is missing. It is for after Execute.
func (r *Run) Skipped() error { return r.skipped }

// trail is what the nodes of a branch leave behind as they are walked.
type trail struct {
	run  *Run
	kept error  // the first one that the job went on after
	gone string // why there is no shell; empty while there may be one
}

// took says how a node went: an error ends the branch.
func (t *trail) took(ctx context.Context, n *Node, err error) error {
	r := t.run
	if o := (*ongoing)(nil); errors.As(err, &o) && ctx.Err() == nil {
		if !strings.Contains(n.Level, ".") { // its steps have the same error
			r.Logf("warning", "%s %s: %v; the job goes on", n.Level, n.Name, err)
		}
		t.keep(err)
		return nil
	}
	if x := (*expired)(nil); err == nil || !n.Skip || !errors.As(err, &x) || ctx.Err() != nil {
		return err
	}
	r.Logf("warning", "%s %s: %v; its timeout says skip, so the job goes on", n.Level, n.Name, err)
	if r.skipped == nil {
		r.skipped = err
	}
	if n.interrupt == nil {
		return nil
	}
	if e := n.interrupt(ctx, r); e != nil {
		t.gone = fmt.Sprintf("%s timed out, and the shell did not come back: %v", n.Name, e)
		r.Logf("warning", "%s; nothing runs until the next boot", t.gone)
		t.keep(fmt.Errorf("%w; the shell did not come back: %v", err, e)) //nolint:errorlint // the first is the cause
		return ctx.Err()
	}
	return nil
}

// lost says that a node cannot run for want of a shell, and tells what that loses. A boot makes another shell.
func (t *trail) lost(n *Node) bool {
	if t.gone == "" || n.Section != "test" {
		t.gone = ""
		return false
	}
	if n.missed != nil {
		n.missed(t.run, t.gone)
	}
	return true
}

func (t *trail) keep(err error) {
	if t.kept == nil {
		t.kept = err
	}
}

// end is what the branch ends with, when err ends it before rest.
func (t *trail) end(err error, rest []*Node) error {
	for _, n := range rest {
		if n.missed != nil {
			n.missed(t.run, "the job ended before it")
		}
	}
	if t.kept == nil {
		return err
	}
	err = fmt.Errorf("%w; before that: %v", err, t.kept) //nolint:errorlint // the first has ended the job
	if lost := (*results.MissingError)(nil); errors.As(t.kept, &lost) {
		return &results.MissingError{What: lost.What, Cause: err}
	}
	return err
}

// between is what a node ends with whose wait for the next attempt was broken off by cause: that ended it, and not the
// attempt before.
func between(ctx context.Context, n *Node, cause, last error) error {
	waiting := *n
	waiting.Blame = results.ClassOf(last)
	return fmt.Errorf(
		"%w, while waiting to try again after: %v", explain(ctx, &waiting, cause), last,
	) //nolint:errorlint // not the cause
}
