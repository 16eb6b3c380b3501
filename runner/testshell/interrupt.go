package testshell

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/plan"
)

// How long a shell has to come back after what it runs was interrupted, in all and until ^C is typed again: a process
// that catches the signal may clean up, and a terminal may drop what was typed with it.
const (
	restoreWait  = 15 * time.Second
	restoreRetry = 3 * time.Second
)

// probe is what is typed after ^C, "" for nothing, and the answer that shows that the shell is back.
type probe func(try int) (typed string, answer *console.Patterns, err error)

// interrupt ends what the shell runs.
func (s *stage) interrupt(ctx context.Context, _ *plan.Run) error {
	err := interrupt(ctx, s.session.Shell, func(try int) (string, *console.Patterns, error) {
		// The echo of what is typed is not the answer.
		answer, err := console.Compile(fmt.Sprintf("gantry-back-%d", try))
		return fmt.Sprintf("echo gantry-''back-%d\n", try), answer, err
	})
	s.session.Prompted = true
	return err
}

// interrupt types ^C and a probe, repeatedly, until the answer comes; matching goes on after that.
func interrupt(ctx context.Context, sh *console.Session, next probe) error {
	if err := interruptShell(ctx, sh, next); err != nil {
		return fmt.Errorf("the shell did not come back: %w", err)
	}
	return nil
}

func interruptShell(ctx context.Context, sh *console.Session, next probe) error {
	ctx, cancel := context.WithTimeoutCause(ctx, restoreWait, fmt.Errorf("no prompt within %s of ^C", restoreWait))
	defer cancel()
	for try := 1; ; try++ {
		typed, answer, err := next(try)
		if err != nil {
			return err
		}
		sh.SkipTo(sh.Console().Size())
		if err := sh.Send(ctx, "\x03"+typed); err != nil {
			return err
		}
		quiet, cancel := context.WithTimeoutCause(ctx, restoreRetry, errQuiet)
		_, err = sh.Expect(quiet, answer)
		cancel()
		if !errors.Is(err, errQuiet) {
			return err
		}
	}
}
