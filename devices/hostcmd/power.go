// Package hostcmd drives boards by commands of the lab's host, as LAVA's device files have them: each is a program with
// arguments, quoted as for a shell, that runs without one.
package hostcmd

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"github.com/gantry-ci/gantry/internal/plaintext"
	"github.com/gantry-ci/gantry/internal/shell"
)

// Power switches a board by commands.
type Power struct {
	Before []string // run before power is given
	Give   []string // give power
	Reset  []string // cut power and give it back: in place of Give where there is none
	Cut    []string // cut power
}

// commandTimeout bounds a command that gives power: a PDU that reboots answers within some seconds or not at all.
const commandTimeout = 30 * time.Second

// cutTimeout bounds all commands that cut power, so that they have ended before the journal, which grants an undo half
// a minute, gives up.
const cutTimeout = 25 * time.Second

// On gives power. The first command that fails ends it; an error says which one it was, and what it printed.
func (p Power) On(ctx context.Context) error {
	give := p.Give
	if len(give) == 0 {
		give = p.Reset
	}
	if len(give) == 0 {
		return errors.New("give power: there is no command for it")
	}
	for _, commands := range [][]string{p.Before, give} {
		for _, c := range commands {
			if err := run(ctx, c, commandTimeout); err != nil {
				return err
			}
		}
	}
	return nil
}

// Off cuts power, also what another process gave. Each command is run, also after one that fails, and has an equal part
// of the time that is left: one that hangs leaves the others theirs. It is an error that there is no command.
func (p Power) Off(ctx context.Context) error {
	if len(p.Cut) == 0 {
		return errors.New("cut power: there is no command for it")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, cutTimeout, fmt.Errorf("the power was not cut within %s", cutTimeout))
	defer cancel()
	end, _ := ctx.Deadline() // the caller's may be earlier
	var errs []error
	for i, c := range p.Cut {
		errs = append(errs, run(ctx, c, time.Until(end)/time.Duration(len(p.Cut)-i)))
	}
	return errors.Join(errs...)
}

// run runs a command to its end, or kills it and what it started. Its errors name the program alone: its arguments may
// have the password of a PDU.
func run(ctx context.Context, command string, limit time.Duration) error {
	argv, err := shell.Split(command)
	switch {
	case err != nil:
		return fmt.Errorf("read a command: %w", err)
	case len(argv) == 0:
		return errors.New("read a command: the command is empty")
	}
	late := fmt.Errorf("it did not end within %s", limit.Round(time.Millisecond))
	ctx, cancel := context.WithTimeoutCause(ctx, limit, late)
	defer cancel()
	out := plaintext.NewTail(tailSize)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // for a pipe that something else holds open
	if err = cmd.Run(); err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if text := out.String(); text != "" {
		err = fmt.Errorf("%w: %s", err, text)
	}
	return fmt.Errorf("run %q: %w", argv[0], err)
}

// tailSize is how much of a failed command's output is in the error.
const tailSize = 1 << 10
