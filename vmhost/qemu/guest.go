// Package qemu runs virtual machines as plain QEMU processes. It decides what a job's arguments may be, takes the
// guest's console and control away from the terminal, confines the process, and sees to it that no guest outlives the
// runner.
package qemu

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/gantry-ci/gantry/vmhost/kvm"
	"github.com/gantry-ci/gantry/vmhost/vm"
)

// Guest is one virtual machine. It may be switched on and off any number of times, with other specs. Its methods may be
// called from any goroutine.
type Guest struct {
	id      string
	opts    Options
	formats *formats
	logger  *slog.Logger

	mu      sync.Mutex
	process *process // of the last On
	console *stream  // made by the first of Open and On
	results *stream  // of the last On; nil when that had none
}

// ID is what the guest is found by.
func (g *Guest) ID() string { return g.id }

// Describe says how the guest would be executed: acceleration, and what is changed and why. Images may be unknown.
func (g *Guest) Describe(ctx context.Context, s vm.Spec) (vm.Execution, error) {
	c, err := g.prepare(ctx, s, true)
	if err != nil {
		return vm.Execution{}, err
	}
	return c.Execution, nil
}

// prepare decides what On executes.
func (g *Guest) prepare(ctx context.Context, s vm.Spec, unknown bool) (*command, error) {
	if err := checkID(g.id); err != nil {
		return nil, err
	}
	job, err := g.opts.read(s)
	if err != nil {
		return nil, err
	}
	return g.builder(s, unknown).build(job, s.NoKVM, func() kvm.Result { return g.opts.KVM(ctx) }, g.id)
}

// On starts the guest and returns when its processors run. An *ArgumentError is the author's of the argument; an
// *ExitError says what QEMU said when it would not start.
func (g *Guest) On(ctx context.Context, s vm.Spec) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running() {
		return fmt.Errorf("start guest %s: %w", g.id, vm.ErrOn)
	}
	c, err := g.prepare(ctx, s, false)
	if err != nil {
		return err
	}
	streams, err := g.streams(s)
	if err != nil {
		return fmt.Errorf("start guest %s: %w", g.id, err)
	}
	p, err := start(ctx, g.opts, c, g.formats, streams)
	if err != nil {
		return fmt.Errorf("start guest %s: %w", g.id, err)
	}
	g.process = p
	g.logger.Debug("guest started", "pid", p.cmd.Process.Pid, "accel", c.Accel.Used, "argv", c.argv)
	return nil
}

func (g *Guest) running() bool { return g.process != nil && g.process.running() }

// streams are those that the guest has in its coming life: a console, and a results port where the spec wants one. A
// console that was opened before is kept.
func (g *Guest) streams(s vm.Spec) (map[socket]*stream, error) {
	if g.console == nil || g.console.guest == nil {
		if err := renew(&g.console); err != nil {
			return nil, err
		}
	}
	all := map[socket]*stream{consoleSocket: g.console}
	if g.results != nil {
		g.results.retire()
		g.results = nil
	}
	if s.Results {
		if err := renew(&g.results); err != nil {
			return nil, err
		}
		all[resultsSocket] = g.results
	}
	return all, nil
}

// renew makes a stream for the coming life of the guest.
func renew(at **stream) error {
	s, err := newStream()
	if err != nil {
		return err
	}
	if *at != nil {
		(*at).retire()
	}
	*at = s
	return nil
}

// Off stops the guest, also one that another process started with this id. It returns when it is gone; that there was
// none is no error.
func (g *Guest) Off(ctx context.Context) error {
	g.mu.Lock()
	p, console, results := g.process, g.console, g.results
	g.mu.Unlock()
	if p == nil || !p.running() {
		return Kill(ctx, g.id)
	}
	if err := p.stop(ctx); err != nil {
		return fmt.Errorf("stop guest %s: %w", g.id, err)
	}
	console.retire()
	if results != nil {
		results.retire()
	}
	return nil
}

// Open is the serial console as raw bytes, from the first the guest prints, when it is opened before On or before
// anything was read. It ends with io.EOF when the guest does. One reader at a time: close it before opening it again,
// which goes on where the other stopped. Opened while the guest is off, it waits for the next On.
func (g *Guest) Open(context.Context) (io.ReadWriteCloser, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.console == nil || g.console.guest == nil && !g.running() && g.console.opened() {
		if err := renew(&g.console); err != nil {
			return nil, fmt.Errorf("open the console of guest %s: %w", g.id, err)
		}
	}
	c, err := g.console.open()
	if err != nil {
		return nil, fmt.Errorf("open the console of guest %s: %w", g.id, err)
	}
	return c, nil
}

// OpenResults is the results port of a guest that was switched on with one. Who opens it reads it to its end: when
// nobody does, a writer in the guest waits.
func (g *Guest) OpenResults(context.Context) (io.ReadWriteCloser, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.results == nil {
		return nil, fmt.Errorf("open the results port of guest %s: %w", g.id, vm.ErrNoResults)
	}
	c, err := g.results.open()
	if err != nil {
		return nil, fmt.Errorf("open the results port of guest %s: %w", g.id, err)
	}
	return c, nil
}

// Wait waits until the guest that was switched on last is gone, and says how it ended. After the console's io.EOF it
// answers at once, and with an ended ctx it does not wait: an error then means that the guest runs.
func (g *Guest) Wait(ctx context.Context) (vm.End, error) {
	g.mu.Lock()
	p := g.process
	g.mu.Unlock()
	if p == nil {
		return vm.End{}, vm.ErrOff
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		if p.running() {
			return vm.End{}, context.Cause(ctx)
		}
	}
	return p.end, nil
}
