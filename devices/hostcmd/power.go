// Package hostcmd drives boards by commands of the lab's host, as LAVA's device files have them: each is a program with
// arguments, quoted as for a shell, that runs without one.
package hostcmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/gantry-ci/gantry/internal/shell"
)

// Power switches a board by commands. Those that are not there are no error, as in LAVA.
type Power struct {
	Before []string // run before power is given
	Give   []string // give power
	Reset  []string // cut power and give it back: in place of Give where there is none
	Cut    []string // cut power
}

// On gives power.
func (p Power) On(ctx context.Context) error {
	if err := run(ctx, p.Before); err != nil {
		return err
	}
	if len(p.Give) == 0 {
		return run(ctx, p.Reset)
	}
	return run(ctx, p.Give)
}

// Off cuts power, also what another process gave.
func (p Power) Off(ctx context.Context) error { return run(ctx, p.Cut) }

// commandTimeout bounds one command: a PDU that reboots answers within some seconds or not at all.
const commandTimeout = 30 * time.Second

// shown is how much of what a failed command said is in the error.
const shown = 1 << 10

// run runs commands one after another, up to the first that fails.
func run(ctx context.Context, commands []string) error {
	for _, c := range commands {
		if err := runOne(ctx, c); err != nil {
			return fmt.Errorf("run %q: %w", c, err)
		}
	}
	return nil
}

func runOne(ctx context.Context, command string) error {
	argv, err := shell.Split(command)
	if err != nil {
		return err
	}
	if len(argv) == 0 {
		return errors.New("the command is empty")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, commandTimeout, fmt.Errorf("no answer within %s", commandTimeout))
	defer cancel()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = &said, &said
	// What it started ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // for a pipe that something else holds open
	err = cmd.Run()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if out := strings.TrimSpace(strings.ToValidUTF8(said.String(), "?")); out != "" {
		err = fmt.Errorf("%w: %s", err, out[max(0, len(out)-shown):])
	}
	return err
}
