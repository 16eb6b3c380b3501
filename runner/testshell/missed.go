package testshell

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/plan"
)

// missed reports a suite that did not begin, with the cases that are known of it.
func missed(r *plan.Run, suite string, names []string, why string) {
	lost := func(suite, name string) {
		r.Emit(results.Event{Case: &results.Case{Suite: suite, Case: name, Result: results.Missing, Message: why}})
	}
	lost(results.PipelineSuite, suite)
	told := map[string]bool{"": true}
	for _, name := range names {
		if !told[name] {
			told[name] = true
			lost(suite, name)
		}
	}
}

// missed reports the definitions of a stage that did not begin, and what is expected of them.
func (s *stage) missed(r *plan.Run, why string) {
	defs, err := expected(s.job, s.first, s.source)
	if err != nil {
		r.Logf("warning", "%v", err) // a pattern: the names are right
	}
	for _, d := range defs {
		missed(r, d.Run, d.Expected, why)
	}
}

// How long a shell has to come back after what it runs was interrupted, and one of the attempts: a process that catches
// the signal may clean up, and a terminal may drop what was typed with it.
const (
	backWait  = 15 * time.Second
	backRetry = 3 * time.Second
)

// interrupt ends what the shell runs.
func (s *stage) interrupt(ctx context.Context, _ *plan.Run) error {
	err := interrupted(ctx, s.session.Shell, func(try int) (string, *console.Patterns, error) {
		// The echo of what is typed is not the answer.
		answer, err := console.Compile(fmt.Sprintf("gantry-back-%d", try))
		return fmt.Sprintf("echo gantry-''back-%d\n", try), answer, err
	})
	s.session.Prompted = true
	return notBack(err)
}

// notBack is why a shell is lost.
func notBack(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the shell did not come back: %w", err)
}

// interrupted types ^C, and more, until what tells that the shell is back; matching goes on after that.
func interrupted(
	ctx context.Context, sh *console.Session, next func(try int) (string, *console.Patterns, error),
) error {
	ctx, cancel := context.WithTimeoutCause(ctx, backWait, fmt.Errorf("no prompt within %s of ^C", backWait))
	defer cancel()
	for try := 1; ; try++ {
		more, answer, err := next(try)
		if err != nil {
			return err
		}
		sh.SkipTo(sh.Console().Size())
		if err := sh.Send(ctx, "\x03"+more); err != nil {
			return err
		}
		quiet, cancel := context.WithTimeoutCause(ctx, backRetry, errQuiet)
		_, err = sh.Expect(quiet, answer)
		cancel()
		if !errors.Is(err, errQuiet) {
			return err
		}
	}
}
