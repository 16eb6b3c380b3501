package testshell

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/signal"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/plan"
)

// tries follows the cases of a stage over the runs of their definitions.
type tries struct {
	seen    map[string]bool   // reported in an earlier run
	failing map[string]string // case → suite: not known to fail, and never passed
	failed  map[string]string // case → suite: in this run
	passed  map[string]bool   // in this run
}

func newTries() *tries {
	return &tries{
		seen: map[string]bool{}, failing: map[string]string{}, failed: map[string]string{}, passed: map[string]bool{},
	}
}

// take notes a result of this run; the record has marked by now what is known to fail.
func (t *tries) take(c *results.Case) {
	switch {
	case c.Suite == results.PipelineSuite:
	case c.Result == results.Fail && c.Fails():
		t.failed[c.Name()] = c.Suite
	case c.Result == results.Pass:
		t.passed[c.Name()] = true
	}
}

// end ends a run: what failed before still does, unless it passed now; what failed only now and passed before is flaky.
func (t *tries) end() {
	for name := range t.failing {
		if _, again := t.failed[name]; !again && t.passed[name] {
			delete(t.failing, name)
		}
	}
	for name, suite := range t.failed {
		if !t.seen[name] {
			t.failing[name] = suite
		}
		t.seen[name] = true
	}
	for name := range t.passed {
		t.seen[name] = true
	}
	clear(t.failed)
	clear(t.passed)
}

// definitions are those of all that have a failing case.
func (t *tries) definitions(all []signal.Definition) []signal.Definition {
	suites := map[string]bool{}
	for _, suite := range t.failing {
		suites[suite] = true
	}
	return slices.DeleteFunc(slices.Clone(all), func(d signal.Definition) bool { return !suites[d.Run] })
}

// typed is what is typed to have definitions run, and to have their results repeated.
type typed struct {
	commands []string
	manifest string
}

// backTime is what is left of a block's time when its second runs must have ended: enough to bring the shell back.
const backTime = backWait + 5*time.Second

// errAgain ends a second run that does not end by itself.
var errAgain = errors.New("no time is left to run the tests again")

// again runs the definitions of failed cases once more, as often as the run allows. What ends it ends the step: a
// kernel that panics in the second run panics. But a second run that takes too long makes a clear result no worse.
func (s *stage) again(ctx context.Context, r *plan.Run, sh *console.Session, defs []signal.Definition, t *tries) error {
	limited, cancel := ctx, context.CancelFunc(func() {})
	if end, ok := ctx.Deadline(); ok {
		limited, cancel = context.WithDeadlineCause(ctx, end.Add(-backTime), errAgain)
	}
	defer cancel()
	for try := 2; try <= 1+s.retries; try++ {
		defs = t.definitions(defs)
		if len(defs) == 0 {
			return nil
		}
		if limited.Err() != nil {
			r.Logf("warning", "%d cases failed: %v", len(t.failing), errAgain)
			return ctx.Err()
		}
		var names []string
		for _, d := range defs {
			names = append(names, d.Run)
		}
		r.Logf("info", "%d cases failed: %v are run again, try %d", len(t.failing), names, try)
		a := s.spec.Again(s.index, try, names)
		err := s.once(limited, r, sh, defs, t, func(run int) typed {
			return typed{
				a.Commands(run), a.ManifestCommand(),
			}
		}, try)
		switch {
		case err == nil:
		case errors.Is(err, errAgain):
			r.Logf("warning", "try %d did not end: %v", try, err)
			if err := s.interrupt(ctx, r); err != nil { // the test's doing, not the lab's
				return results.Failf(results.ClassTimeout, "try %d did not end, and %w", try, err)
			}
			return nil
		default:
			return err
		}
	}
	return nil
}
