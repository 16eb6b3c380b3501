// Package boot executes boot methods: one file each. What they share is here: the console and who watches it, and the
// way from a login prompt to a shell.
package boot

import (
	"context"
	"errors"
	"time"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/kernlog"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/plan"
)

// Options are what the boots of an attempt need beside its target. The zero Options are for a plan that is not
// executed.
type Options struct {
	Records *console.Records // of the consoles
	Kernels *Kernels         // what becomes known of the kernels that boot
	List    *kernlog.List    // the kernel messages that are allowed or denied; nil for none
}

// methods are the boot methods of one plan.
type methods struct {
	Options
	names  recordNames
	users  users
	guests map[string]dut.Spec // by namespace: what its guest has booted last
}

// Methods is the table of what gantry executes, for one plan.
func Methods(o Options) []plan.Method {
	m := &methods{Options: o}
	return []plan.Method{plan.For(m.qemu), plan.For(m.minimal), plan.For(m.newConnection)}
}

// drainLimit is how long the target is held for the part of its console that is not classified yet. Ordinary text is
// classified faster than any console prints it. A flood of reports is not, nor are messages that are matched with a
// long list of denied expressions, and their author must not hold the target for hours.
const drainLimit = 30 * time.Second

// opening is a console to be opened by a boot.
type opening struct {
	tty          dut.Console
	record       string        // the name of its record
	session      *flow.Session // which the console's is made
	kernel       string        // the file of the kernel that boots now, "" where it is unknown
	ignoreKernel bool          // the job says that kernel messages mean nothing
}

// connect opens the target's console, starts the classifier of kernel messages on it, and begins the session. End
// closes the console; otherwise the end of the run does.
func (o *methods) connect(ctx context.Context, r *plan.Run, to opening) (end func() error, err error) {
	rw, err := to.tty.Open(ctx)
	if err != nil {
		return nil, err
	}
	c, err := o.Records.Start(to.record, rw, r.Logger)
	if err != nil {
		return nil, errors.Join(err, rw.Close())
	}
	start := c.Begin() // it may have printed already
	if err := o.Kernels.Boot(to.record, c.LineAt(start), to.kernel); err != nil {
		r.Logf("warning", "%v", err)
	}
	watched, stop := context.WithCancel(context.WithoutCancel(ctx)) // the watcher ends with the stream
	watching, own := make(chan struct{}), r.Running().Namespace
	end = func() error { return errors.Join(c.Close(), await(watching, stop)) }
	r.Journal.Defer(end)
	go func() {
		defer close(watching)
		if !to.ignoreKernel {
			o.watch(watched, c, start, r, to.session, own)
		}
	}()
	s, err := c.Session(ctx, start)
	to.session.Begin(s)
	return end, err
}

// await waits until the watcher has classified all of the console. A run that has more than it can classify within
// drainLimit does not pass.
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
			results.ClassJob, "classify kernel messages: the console printed more than could be classified within %s of its end",
			drainLimit,
		)
	}
}

// blame is the class of a failed wait for a prompt: the end of the stream is not the lab's fault when the guest ended
// by itself.
func blame(err, exit error) error {
	if exit != nil && results.ClassOf(err) == results.ClassInfrastructure {
		return results.Blame(results.ClassJob, exit)
	}
	return err
}
