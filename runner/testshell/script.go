package testshell

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/signal"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/plan"
)

// script is a suite of typed commands.
type script struct {
	suite    string
	prompts  *console.Patterns
	echo     bool // the command's echo is no part of the answer
	expected []string
	commands []command
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
		cmd, err := newCommand(s, c)
		if err != nil {
			b.ErrorAt(c.Line, "%s: %w", s.Name, err)
		}
		out.commands = append(out.commands, cmd)
	}
	return out
}

func newCommand(s *jobs.Interactive, c jobs.InteractiveCommand) (command, error) {
	cmd := command{InteractiveCommand: c, calls: calls(&c)}
	var wait []string
	answers := len(c.Successes)+len(c.Failures) > 0
	// A command that only sleeps or sends a message gets no answer.
	types := !c.NoCommand || c.Delay == 0 && len(cmd.calls) == 0
	if answers || types && c.WaitForPrompt {
		wait, cmd.prompts = append(wait, s.Prompts...), len(s.Prompts)
	}
	for _, a := range append(slices.Clip(c.Failures), c.Successes...) {
		wait = append(wait, a.Message)
	}
	if len(wait) == 0 {
		return cmd, nil
	}
	var err error
	cmd.answers, err = console.Compile(wait...)
	return cmd, err
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

// fill is the command with {NAME} replaced by what is known.
func (c command) fill(known map[string]string) *command {
	for name, value := range known {
		c.Command = strings.ReplaceAll(c.Command, "{"+name+"}", value)
	}
	return &c
}

// answered is an answer that ends the job.
type answered struct{ message string }

func (a *answered) Error() string { return a.message }

// result is what an answer means; fatal ends the job. A prompt is the answer of a command that ended without any other:
// that fails where one of the successes was due. A command without a name has no case to fail: its failure ends the
// job, as in LAVA.
func (c *command) result(answer int) (result, message string, fatal error) {
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
			return results.Fail, message, results.Blame(exceptionClass(f.Exception), &answered{message})
		}
	}
	if c.Name == "" {
		fatal = results.Blame(results.ClassTest, &answered{fmt.Sprintf("%q: %s", c.Command, message)})
	}
	return results.Fail, message, fatal
}

// exceptionClass is the class of one of LAVA's exceptions.
func exceptionClass(exception string) results.Class {
	switch exception {
	case "InfrastructureError":
		return results.ClassInfrastructure
	case "JobError":
		return results.ClassJob
	}
	return results.ClassTest
}
