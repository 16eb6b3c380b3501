package boot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/plan"
)

// nudgeAfter is how long a console may be silent before an empty line asks for the prompt again: kernel messages that
// follow a prompt hide it from patterns that end in "$".
const nudgeAfter = 5 * time.Second

// login adds the steps from power-on to a shell.
func (o *methods) login(b *plan.Builder, l *jobs.Login, s *flow.Session) {
	if l.TransferOverlay != nil {
		b.Errorf("transfer_overlay is valid, but gantry does not execute it yet")
	}
	if len(l.Prompts) == 0 && l.AutoLogin == nil {
		return // LAVA's way to say that nothing will be typed: a job that only boots
	}
	prompts, err := console.Compile(l.Prompts...)
	if err != nil {
		b.Errorf("prompts: %w", err)
	}
	steps := autoLogin(b, l.AutoLogin)
	b.Group("auto-login-action", 1, func(b *plan.Builder) {
		b.Step("login-action", results.ClassJob, func(ctx context.Context, r *plan.Run) error {
			for _, q := range steps {
				if err := q.do(ctx, s.Shell); err != nil {
					return blame(err, s.Exit())
				}
			}
			if err := ready(ctx, s.Shell, prompts); err != nil {
				return blame(err, s.Exit())
			}
			return blame(o.identify(ctx, s.Shell, prompts, r), s.Exit())
		})
		if l.AutoLogin == nil || len(l.AutoLogin.LoginCommands) == 0 {
			return
		}
		b.Step("login-commands", results.ClassJob, func(ctx context.Context, _ *plan.Run) error {
			for _, c := range l.AutoLogin.LoginCommands {
				if err := s.Shell.SendLine(ctx, c); err != nil {
					return err
				}
				if err := ready(ctx, s.Shell, prompts); err != nil {
					return blame(fmt.Errorf("wait for the prompt after %q: %w", c, err), s.Exit())
				}
			}
			return nil
		})
	})
}

// prompt is one question of a login, and its answer.
type prompt struct {
	wait   *console.Patterns
	answer string
}

// refused is what login(1) says to a wrong name or password.
const refused = "Login incorrect"

// autoLogin are the questions of a login, in order.
func autoLogin(b *plan.Builder, a *jobs.AutoLogin) (steps []prompt) {
	if a == nil {
		return nil
	}
	add := func(key, pattern, answer string) {
		p, err := console.Compile(pattern, refused)
		if err != nil {
			b.Errorf("auto_login: %s: %w", key, err)
		}
		steps = append(steps, prompt{p, answer})
	}
	add("login_prompt", a.LoginPrompt, a.Username)
	if a.PasswordPrompt != "" {
		add("password_prompt", a.PasswordPrompt, a.Password)
	}
	return steps
}

func (p prompt) do(ctx context.Context, s *console.Session) error {
	m, err := s.Expect(ctx, p.wait)
	if err != nil {
		return fmt.Errorf("wait for %q: %w", p.wait.Pattern(0), err)
	}
	if m.Index != 0 {
		return errors.New("the login was refused")
	}
	return s.SendLine(ctx, p.answer)
}

// ready waits for a shell's prompt, and asks for it again where a silence may mean that it was overwritten.
func ready(ctx context.Context, s *console.Session, prompts *console.Patterns) error {
	for {
		size := s.Console().Size()
		quiet, cancel := context.WithTimeout(ctx, nudgeAfter)
		_, err := s.Expect(quiet, prompts)
		cancel()
		switch {
		case err == nil:
			return nil
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			return unseen(s.Console(), prompts, err)
		case ctx.Err() != nil || quiet.Err() == nil:
			return err
		}
		if size > 0 && s.Console().Size() == size {
			if err := s.SendLine(ctx, ""); err != nil {
				return err
			}
		}
	}
}

// What a message has of the prompts, and of the console.
const (
	shownPrompts = 3
	shownPrompt  = 80  // bytes of one
	shownLine    = 120 // bytes
	lastBytes    = 4 << 10
)

// unseen says of a timeout which prompts did not come, and what came last.
func unseen(c *console.Console, prompts *console.Patterns, err error) error {
	var all []string
	for i := range min(prompts.Len(), shownPrompts) {
		all = append(all, fmt.Sprintf("%.*q", shownPrompt, prompts.Pattern(i)))
	}
	what := strings.Join(all, " or ")
	if n := prompts.Len() - shownPrompts; n > 0 {
		what += fmt.Sprintf(" or %d more", n)
	}
	last := "the console is empty"
	if line := lastLine(c); line != "" {
		last = fmt.Sprintf("the console's last line is %.*q", shownLine, line)
	}
	return fmt.Errorf("%w waiting for the prompt %s; %s", err, what, last)
}

// lastLine is the last line of a console that is not blank.
func lastLine(c *console.Console) string {
	b := make([]byte, min(c.Size(), lastBytes))
	n, _ := c.ReadAt(b, c.Size()-int64(len(b))) // what can be read of it
	b = bytes.TrimSpace(b[:n])
	return string(bytes.TrimSpace(b[bytes.LastIndexByte(b, '\n')+1:]))
}
