// Package boot executes boot methods: one file each. What they share is here: the console and who watches it, and the
// way from a login prompt to a shell.
package boot

import (
	"context"
	"errors"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/plan"
	"github.com/gantry-ci/gantry/runner/target"
)

// Methods is the table of what gantry executes.
func Methods() []plan.Method {
	return []plan.Method{plan.For(qemu)}
}

// connect opens the target's console, lets the kernel log's classifier follow it, and takes the right to write. End
// closes it before the end of the run does. Kernel is the file that boots now, "" where nobody knows.
func connect(ctx context.Context, r *plan.Run, tty target.Console, kernel string, ignoreKernel bool) (s *console.Session, end func() error, err error) {
	rw, err := tty.Open(ctx)
	if err != nil {
		return nil, nil, err
	}
	c, err := console.New(rw, r.Record.Log, console.Options{Logger: r.Logger, Times: r.Record.Times, Limit: r.Record.Limit})
	if err != nil {
		return nil, nil, errors.Join(err, rw.Close())
	}
	start := c.Size()
	r.Boots(c.LineAt(start), kernel)
	watching := make(chan struct{})
	end = func() error { // the watcher ends with the stream
		err := c.Close()
		<-watching
		return err
	}
	r.Journal.Defer(end)
	go func() {
		defer close(watching)
		if !ignoreKernel {
			watch(context.WithoutCancel(ctx), c, start, r)
		}
	}()
	s, err = c.Session(ctx, start)
	return s, end, err
}

// blame is what a failed wait for a prompt means: the stream's end is no fault of the lab's when the guest ended by
// itself.
func blame(err, exit error) error {
	if exit != nil && jobs.ClassOf(err) == jobs.ClassInfrastructure {
		return jobs.Blame(jobs.ClassJob, exit)
	}
	return err
}
