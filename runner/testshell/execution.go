package testshell

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/gantry-ci/gantry/internal/clock"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/console"
)

// execution is a script that runs.
type execution struct {
	*script
	out   *suite
	shell *console.Session
	group *group
	known map[string]string // what {NAME} in a command stands for; the groups of successes add to it
	limit time.Duration     // of each wait, as LAVA has it: the connection timeout
}

// connectionTimeoutError is a wait that was as long as the connection timeout.
type connectionTimeoutError struct{ limit time.Duration }

func (e *connectionTimeoutError) Error() string {
	return fmt.Sprintf("nothing that is waited for came within the connection timeout of %s", e.limit)
}

// run types the commands.
func (x *execution) run(ctx context.Context) error {
	for i := range x.commands {
		if err := x.command(ctx, x.commands[i].fill(x.known)); err != nil {
			if a := (*answered)(nil); !errors.As(err, &a) {
				for _, c := range x.commands[i+1:] {
					x.out.missing(c.Name, "the suite ended before it")
				}
			}
			return err
		}
	}
	return nil
}

// command types one command and reports what came back.
func (x *execution) command(ctx context.Context, c *command) error {
	start := time.Now()
	x.out.session.SetCase(x.out.session.Now(), x.suite, c.Name)
	defer func() { x.out.session.SetCase(x.out.session.Now(), x.suite, "") }()
	m, err := x.exchange(ctx, c)
	if err != nil {
		x.out.broken(ctx, c.Name, err)
		return err
	}
	result, message, fatal := c.result(m.Index)
	if result == results.Pass {
		maps.Copy(x.known, m.Named)
	}
	elapsed := time.Since(start).Seconds()
	x.out.report(&results.Case{Case: c.Name, Result: result, Message: message, DurationS: &elapsed, LogLine: line(m)})
	if fatal != nil || m.Index < c.prompts || !c.WaitForPrompt {
		return fatal
	}
	if _, err := x.expect(ctx, x.prompts); err != nil {
		return fmt.Errorf("wait for the prompt after %q: %w", m.Text, err)
	}
	return nil
}

// exchange types and waits. A match without a line is that of a command that waits for nothing.
func (x *execution) exchange(ctx context.Context, c *command) (console.Match, error) {
	none := console.Match{Index: -1}
	if err := clock.Sleep(ctx, time.Duration(c.Delay)*time.Second); err != nil {
		return none, err
	}
	for _, q := range c.calls {
		if _, wait := x.group.answer(q); wait { // nobody else is there who could send it
			return none, x.group.unsent(q)
		}
	}
	if !c.NoCommand {
		if err := x.send(ctx, c.Command); err != nil {
			return none, err
		}
	}
	if c.answers == nil {
		return none, nil
	}
	m, err := x.expect(ctx, c.answers)
	if err != nil {
		return none, fmt.Errorf("wait for an answer to %q: %w", c.Command, err)
	}
	return m, nil
}

// send types a command, and skips its echo where that is no part of the answer.
func (x *execution) send(ctx context.Context, text string) error {
	if err := x.shell.SendLine(ctx, text); err != nil || !x.echo {
		return err
	}
	end, err := console.Compile(`\n`)
	if err == nil {
		_, err = x.shell.Expect(ctx, end)
	}
	if err != nil {
		return fmt.Errorf("wait for the echo of %q: %w", text, err)
	}
	return nil
}

// expect is one wait.
func (x *execution) expect(ctx context.Context, pats *console.Patterns) (console.Match, error) {
	if x.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, x.limit,
			results.Blame(results.ClassTimeout, &connectionTimeoutError{x.limit}))
		defer cancel()
	}
	return x.shell.Expect(ctx, pats)
}

func line(m console.Match) *int {
	if m.Line == 0 {
		return nil
	}
	return &m.Line
}
