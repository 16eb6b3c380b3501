package testshell

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/internal/clock"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/signal"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/plan"
)

// interactive types commands at a prompt and reads their answers: a test of what has no shell that could run helpers.
func interactive(b *plan.Builder, p *jobs.TestInteractive) {
	b.Name("lava-test-interactive-retry")
	b.Budget()
	t := talk{
		group: provideGroup(b), session: plan.Require(b, flow.Shell), id: b.RunID,
	}
	stage, _ := flow.Stage(b, p)
	for i := range p.Scripts {
		s := newScript(b, &p.Scripts[i])
		s.suite = fmt.Sprintf("%d_%s", stage, p.Scripts[i].Name) // LAVA counts stages here, not definitions
		t.scripts = append(t.scripts, s)
	}
	b.NotRun(func(r *plan.Run, why string) { t.missed(r, 0, why) })
	plan.Restore(b, flow.Shell, t.interrupt)
	b.Step("lava-test-interactive", results.ClassTest, t.run)
}

// script is a suite of typed commands.
type script struct {
	suite    string
	group    *group
	prompts  *console.Patterns
	echo     bool // the command's echo is no part of the answer
	expected []string
	commands []command
	limit    time.Duration // of each wait, as LAVA has it: the connection timeout
}

// silent is a wait that was as long as the connection timeout.
type silent struct{ limit time.Duration }

func (s *silent) Error() string {
	return fmt.Sprintf("nothing that is waited for came within the connection timeout of %s", s.limit)
}

// expect is one wait.
func (s *script) expect(ctx context.Context, sh *console.Session, pats *console.Patterns) (console.Match, error) {
	if s.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.limit, results.Blame(results.ClassTimeout, &silent{s.limit}))
		defer cancel()
	}
	return sh.Expect(ctx, pats)
}

// command is what is typed, and what may come back: prompts first, then failures, then successes. Of two that begin at
// the same place the first counts.
type command struct {
	jobs.InteractiveCommand
	calls   []*signal.Request // to the group, before anything is typed
	answers *console.Patterns // nil when nothing is waited for
	prompts int               // how many of the answers are prompts
}

// newScript compiles what is waited for, and refuses at the job's lines what cannot be.
func newScript(b *plan.Builder, s *jobs.Interactive) script {
	prompts, err := console.Compile(s.Prompts...)
	if err != nil {
		b.ErrorAt(s.Line, "%s: prompts: %w", s.Name, err)
	}
	out := script{prompts: prompts, echo: s.Echo == "discard", expected: s.Expected}
	for _, c := range s.Script {
		cmd := command{InteractiveCommand: c, calls: calls(&c)}
		var wait []string
		answers := len(c.Successes)+len(c.Failures) > 0
		types := !c.NoCommand || c.Delay == 0 && len(cmd.calls) == 0 // or waits only; a pause and a message have no answer
		if answers || types && c.WaitForPrompt {
			wait, cmd.prompts = append(wait, s.Prompts...), len(s.Prompts)
		}
		for _, a := range append(slices.Clip(c.Failures), c.Successes...) {
			wait = append(wait, a.Message)
		}
		if len(wait) > 0 {
			if cmd.answers, err = console.Compile(wait...); err != nil {
				b.ErrorAt(c.Line, "%s: %w", s.Name, err)
			}
		}
		out.commands = append(out.commands, cmd)
	}
	return out
}

// calls are a command's messages to and from the group.
func calls(c *jobs.InteractiveCommand) (all []*signal.Request) {
	for _, call := range []struct{ kind, text string }{
		{signal.RequestSend, c.Send},
		{signal.RequestSync, c.Sync},
		{signal.RequestWait, c.Wait},
		{signal.RequestWaitAll, c.WaitAll},
	} {
		if words := strings.Fields(call.text); len(words) > 0 {
			all = append(all, &signal.Request{Kind: call.kind, Args: words})
		}
	}
	return all
}

// talk is the action.
type talk struct {
	group   *group
	session *flow.Session
	id      string // of the job
	scripts []script
}

// promptWait is how long the prompt after a stage of test definitions may take: a shell prints it at once.
const promptWait = 5 * time.Second

func (t *talk) run(ctx context.Context, r *plan.Run) error {
	sh := t.session.Shell
	sh.CharDelay = t.session.Delay
	known := map[string]string{"JOB_ID": t.id}
	for i := range t.scripts {
		s := &t.scripts[i]
		if err := t.catchUp(ctx, sh, s.prompts); err != nil {
			t.missed(r, i, "the block ended before it")
			return err
		}
		s.limit = r.Running().Connection
		start := time.Now()
		at := newSuite(r, t.session, s.suite, s.expected)
		s.group = t.group
		err := s.run(ctx, at, sh, known)
		at.end(start, err)
		if err != nil {
			t.missed(r, i+1, "the block ended before it")
			return err
		}
	}
	return nil
}

// missed reports the scripts from number i on, which are not run.
func (t *talk) missed(r *plan.Run, i int, why string) {
	for _, s := range t.scripts[i:] {
		names := s.expected
		for _, c := range s.commands {
			names = append(slices.Clip(names), c.Name)
		}
		missed(r, s.suite, names, why)
	}
}

// interrupt ends what was typed, and waits for the prompt.
func (t *talk) interrupt(ctx context.Context, _ *plan.Run) error {
	return notBack(interrupted(ctx, t.session.Shell, func(int) (string, *console.Patterns, error) {
		return "", t.scripts[0].prompts, nil
	}))
}

// catchUp takes the prompt that a stage of test definitions leaves behind, lest it be the first command's answer.
func (t *talk) catchUp(ctx context.Context, sh *console.Session, prompts *console.Patterns) error {
	if !t.session.Prompted {
		return nil
	}
	t.session.Prompted = false
	quiet, cancel := context.WithTimeoutCause(ctx, promptWait, errQuiet)
	defer cancel()
	if _, err := sh.Expect(quiet, prompts); err != nil && !errors.Is(err, errQuiet) {
		return err
	}
	return nil // seen, or hidden by other output
}

// run types the commands. Known is what {NAME} in a command stands for; the groups of successes add to it.
func (s *script) run(ctx context.Context, at *suite, sh *console.Session, known map[string]string) error {
	for i := range s.commands {
		if err := s.command(ctx, at, sh, s.commands[i].fill(known), known); err != nil {
			if a := (*answered)(nil); !errors.As(err, &a) {
				for _, c := range s.commands[i+1:] {
					at.missing(c.Name, "the suite ended before it")
				}
			}
			return err
		}
	}
	return nil
}

// answered is an answer that ends the job.
type answered struct{ message string }

func (a *answered) Error() string { return a.message }

// fill is the command with {NAME} replaced by what is known.
func (c command) fill(known map[string]string) *command {
	for name, value := range known {
		c.Command = strings.ReplaceAll(c.Command, "{"+name+"}", value)
	}
	return &c
}

// command types one command and reports what came back.
func (s *script) command(
	ctx context.Context, at *suite, sh *console.Session, c *command, known map[string]string,
) error {
	start := time.Now()
	at.session.SetCase(s.suite, c.Name)
	defer at.session.SetCase(s.suite, "")
	m, err := s.exchange(ctx, sh, c)
	if err != nil {
		at.broken(ctx, c.Name, err)
		return err
	}
	result, message, fatal := c.judge(m.Index)
	if result == results.Pass {
		maps.Copy(known, m.Named)
	}
	took := time.Since(start).Seconds()
	at.report(&results.Case{Case: c.Name, Result: result, Message: message, DurationS: &took, LogLine: line(m)})
	if fatal != nil || m.Index < c.prompts || !c.WaitForPrompt {
		return fatal
	}
	if _, err := s.expect(ctx, sh, s.prompts); err != nil {
		return fmt.Errorf("wait for the prompt after %q: %w", m.Text, err)
	}
	return nil
}

// exchange types and waits. A match without a line is that of a command that waits for nothing.
func (s *script) exchange(ctx context.Context, sh *console.Session, c *command) (console.Match, error) {
	none := console.Match{Index: -1}
	if err := clock.Sleep(ctx, time.Duration(c.Delay)*time.Second); err != nil {
		return none, err
	}
	for _, q := range c.calls {
		if _, wait := s.group.answer(q); wait { // nobody else is there who could send it
			return none, s.group.unsent(q)
		}
	}
	if !c.NoCommand {
		if err := sh.SendLine(ctx, c.Command); err != nil {
			return none, err
		}
		if s.echo {
			if err := discardEcho(ctx, sh); err != nil {
				return none, fmt.Errorf("wait for the echo of %q: %w", c.Command, err)
			}
		}
	}
	if c.answers == nil {
		return none, nil
	}
	m, err := s.expect(ctx, sh, c.answers)
	if err != nil {
		return none, fmt.Errorf("wait for an answer to %q: %w", c.Command, err)
	}
	return m, nil
}

// judge says what an answer means. A prompt is the answer of a command that ended without any other: that fails where
// one of the successes was due. A command without a name has no case to fail: its failure ends the job, as in LAVA.
func (c *command) judge(answer int) (result, message string, fatal error) {
	i := answer - c.prompts
	switch {
	case answer < 0, i < 0 && len(c.Successes) == 0, i >= len(c.Failures):
		return results.Pass, "", nil
	case i < 0:
		message = "the prompt came, and none of the successes"
	default:
		f := c.Failures[i]
		if message = f.Error; message == "" {
			message = fmt.Sprintf("%q was answered", f.Message)
		}
		if f.Exception != "" {
			return results.Fail, message, results.Blame(classes(f.Exception), &answered{message})
		}
	}
	if c.Name == "" {
		fatal = results.Blame(results.ClassTest, &answered{fmt.Sprintf("%q: %s", c.Command, message)})
	}
	return results.Fail, message, fatal
}

// classes are LAVA's exceptions.
func classes(exception string) results.Class {
	switch exception {
	case "InfrastructureError":
		return results.ClassInfrastructure
	case "JobError":
		return results.ClassJob
	}
	return results.ClassTest
}

// discardEcho skips the line that the target echoes.
func discardEcho(ctx context.Context, sh *console.Session) error {
	end, err := console.Compile(`\n`)
	if err == nil {
		_, err = sh.Expect(ctx, end)
	}
	return err
}

func line(m console.Match) *int {
	if m.Line == 0 {
		return nil
	}
	return &m.Line
}
