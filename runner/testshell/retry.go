package testshell

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/signal"
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

// add counts a result of this run; the record has marked by now what is known to fail.
func (t *tries) add(c *results.Case) {
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

// failures are the definitions, of all, that have a failing case.
func (t *tries) failures(all []signal.Definition) []signal.Definition {
	suites := map[string]bool{}
	for _, suite := range t.failing {
		suites[suite] = true
	}
	return slices.DeleteFunc(slices.Clone(all), func(d signal.Definition) bool { return !suites[d.Run] })
}

// restoreTime is what is left of a block's time when its further tries must have ended: enough to bring the shell back.
const restoreTime = restoreWait + 5*time.Second

// errTryTime ends a further try that does not end by itself.
var errTryTime = errors.New("no time is left to run the tests again")

// retry runs the definitions of failed cases again, as often as the job allows. What ends a try ends the step: a kernel
// that panics in the second try panics. But a try that takes too long makes a clear result no worse.
func (s *stage) retry(ctx context.Context, r *plan.Run, t *tries, defs []signal.Definition) error {
	limited, cancel := ctx, context.CancelFunc(func() {})
	if end, ok := ctx.Deadline(); ok {
		limited, cancel = context.WithDeadlineCause(ctx, end.Add(-restoreTime), errTryTime)
	}
	defer cancel()
	for try := 2; try <= 1+s.retries; try++ {
		defs = t.failures(defs)
		if len(defs) == 0 {
			return nil
		}
		if limited.Err() != nil {
			r.Logf("warning", "%d cases failed: %v", len(t.failing), errTryTime)
			return ctx.Err()
		}
		q := s.again(defs, try)
		r.Logf("info", "%d cases failed: %v are run again, try %d", len(t.failing), q.names(), try)
		err := s.run(limited, r, t, q)
		if errors.Is(err, errTryTime) {
			r.Logf("warning", "try %d did not end: %v", try, err)
			if err := s.interrupt(ctx, r); err != nil { // the test's doing, not the lab's
				return results.Failf(results.ClassTimeout, "try %d did not end, and %w", try, err)
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// again asks for definitions to be run once more, without their install steps.
func (s *stage) again(defs []signal.Definition, try int) request {
	q := request{definitions: defs, try: try}
	a := s.spec.Again(s.index, try, q.names())
	q.typed = func(number int) typed { return typed{a.Commands(number), a.ManifestCommand()} }
	return q
}

// names are those of the request's definitions.
func (q *request) names() (all []string) {
	for _, d := range q.definitions {
		all = append(all, d.Run)
	}
	return all
}
