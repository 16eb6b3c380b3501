// Package boot executes boot methods: one file each. What they share is here: the console and who watches it, and the
// way from a login prompt to a shell.
package boot

import (
	"context"
	"errors"
	"time"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/plan"
)

// Methods is the table of what gantry executes.
func Methods() []plan.Method {
	return []plan.Method{plan.For(qemu)}
}

// drainLimit is how long the target is kept for what its console printed and nobody has looked at yet. Ordinary text is
// looked at faster than any console prints; a flood of reports, or of messages that a long list of denied expressions
// is held against, is not, and its author must not hold the target for hours.
const drainLimit = 30 * time.Second

// connect opens the target's console, lets the kernel log's classifier follow it, and takes the right to write. End
// closes it before the end of the run does. Kernel is the file that boots now, "" where nobody knows.
func connect(
	ctx context.Context, r *plan.Run, tty dut.Console, kernel string, ignoreKernel bool,
) (s *console.Session, end func() error, err error) {
	rw, err := tty.Open(ctx)
	if err != nil {
		return nil, nil, err
	}
	c, err := console.New(rw, r.Record.Log, console.Options{
		Logger: r.Logger, Times: r.Record.Times, Limit: r.Record.Limit,
	})
	if err != nil {
		return nil, nil, errors.Join(err, rw.Close())
	}
	start := c.Size()
	r.Boots(c.LineAt(start), kernel)
	watched, stop := context.WithCancel(context.WithoutCancel(ctx)) // the watcher ends with the stream
	watching := make(chan struct{})
	end = func() error { return errors.Join(c.Close(), await(watching, stop)) }
	r.Journal.Defer(end)
	go func() {
		defer close(watching)
		if !ignoreKernel {
			watch(watched, c, start, r)
		}
	}()
	s, err = c.Session(ctx, start)
	return s, end, err
}

// await waits for the watcher. What it has not looked at within drainLimit nobody knows: such a run has not passed.
func await(watching <-chan struct{}, stop context.CancelFunc) error {
	defer stop()
	limit := time.NewTimer(drainLimit)
	defer limit.Stop()
	select {
	case <-watching:
		return nil
	case <-limit.C:
		stop()
		<-watching
		return results.Failf(
			results.ClassJob, "look for kernel messages: the console printed more than could be looked at within %s of its end",
			drainLimit,
		)
	}
}

// blame is what a failed wait for a prompt means: the stream's end is no fault of the lab's when the guest ended by
// itself.
func blame(err, exit error) error {
	if exit != nil && results.ClassOf(err) == results.ClassInfrastructure {
		return results.Blame(results.ClassJob, exit)
	}
	return err
}
