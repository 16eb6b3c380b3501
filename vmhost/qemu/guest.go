// Package qemu runs virtual machines as plain QEMU processes. It decides what a job's arguments may be, takes the
// guest's console and control away from the terminal, confines the process, and sees to it that no guest outlives the
// runner.
package qemu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/gantry-ci/gantry/vmhost/kvm"
)

// Guest is one virtual machine; making it does no I/O. It may be switched on and off any number of times. Its methods
// may be called from any goroutine.
type Guest struct {
	opts Options

	mu      sync.Mutex
	images  map[string]string
	formats formats
	args    []option
	argSize int
	command *Command
	process *process // of the last On
	stream  *stream  // the console's, made by the first of Open and On
	results *stream  // the results port's, likewise; nil without one
}

// ErrOff is returned by what needs a running guest.
var ErrOff = errors.New("the guest is off")

// ErrOn is returned by On when the guest is running.
var ErrOn = errors.New("the guest is on already")

var validID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// New makes a guest that is off.
func New(o Options) *Guest {
	if o.Limits.MemoryMiB == 0 {
		o.Limits.MemoryMiB = 4096
	}
	if o.Limits.CPUs == 0 {
		o.Limits.CPUs = 4
	}
	if o.Limits.FileBytes == 0 {
		o.Limits.FileBytes = servedFile
		if o.Trust == Operator {
			o.Limits.FileBytes = operatorFile
		}
	}
	if o.User == nil {
		o.User = &User{nobody, nobody}
	}
	if o.KVM == nil {
		o.KVM = kvm.Probe
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Logger = o.Logger.With("guest", o.ID)
	return &Guest{opts: o, images: map[string]string{}, formats: formats{}}
}

// ID is the guest's, as chosen.
func (g *Guest) ID() string { return g.opts.ID }

// Image says where an image of this run is, or will be when the guest is switched on. Arguments name it {name}, or by
// its path. A second call with the name replaces the first.
func (g *Guest) Image(name, path string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.images[name] = path
}

// Args adds arguments of the job as an image_arg has them: several words, {name} for the path of an image. Strings
// given in one call are one command line, cut anywhere. What the job may not say is an *ArgumentError at once, so that
// a plan can be refused; what {name} stands for is looked up by On.
func (g *Guest) Args(args ...string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.addArgs(g.args, g.argSize, args)
}

// SetArgs replaces all arguments of the job, of which it makes the checks of Args: a guest that is booted again, as by
// a second boot or a retry, starts from what that boot says. SetArgs() leaves none. A refusal changes nothing. A
// running guest is as it was started; its next On has the new ones.
func (g *Guest) SetArgs(args ...string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.addArgs(nil, 0, args)
}

// addArgs makes the job's arguments those of have, of size bytes, and args.
func (g *Guest) addArgs(have []option, size int, args []string) error {
	line := strings.Join(args, " ")
	opts, err := parseArgument(line, fromJob)
	if err != nil {
		return err
	}
	if g.opts.Trust != Operator {
		if size+len(line) > maxArgs || len(have)+len(opts) > maxOptions {
			return &ArgumentError{
				Source: string(fromJob), Argument: line[:min(len(line), 80)], Reason: "the job has too many arguments",
			}
		}
		p := policy{limits: g.opts.Limits, isImage: func(s string) bool {
			return s != "" && placeholder.FindString(s) == s || g.isImage(s)
		}}
		for _, o := range opts {
			if err := p.checkServed(o); err != nil {
				return err
			}
		}
		if err := checkOnce(slices.Concat(have, opts), g.resolve); err != nil {
			return err
		}
	}
	g.args, g.argSize = slices.Concat(have, opts), size+len(line)
	return nil
}

// resolve is the path of the image that {name} stands for, as far as it is known.
func (g *Guest) resolve(name string) string {
	if p, ok := g.images[strings.Trim(name, "{}")]; ok && placeholder.FindString(name) == name {
		return p
	}
	return name
}

func (g *Guest) isImage(path string) bool {
	for _, p := range g.images {
		if p == path {
			return true
		}
	}
	return false
}

// Prepare decides what On will execute: arguments, acceleration, and what was changed and why. All images must be
// known.
func (g *Guest) Prepare(ctx context.Context) (*Command, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.prepare(ctx)
}

func (g *Guest) prepare(ctx context.Context) (*Command, error) {
	if !validID.MatchString(g.opts.ID) {
		return nil, fmt.Errorf("guest %q: an id is letters, digits, dots, underscores and dashes", g.opts.ID)
	}
	b := &builder{
		machine: g.opts.Machine, trust: g.opts.Trust, network: g.opts.Network, images: g.images,
		policy: policy{g.opts.Limits, g.isImage}, results: g.opts.Results,
	}
	c, err := b.build(g.args, g.opts.NoKVM, func() kvm.Result { return g.opts.KVM(ctx) }, g.opts.ID)
	if err != nil {
		return nil, err
	}
	c.formats = g.formats
	g.command = c
	return c, nil
}

// Command is what the last On or Prepare decided, nil before.
func (g *Guest) Command() *Command {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.command
}

// On starts the guest and returns when its processors run. An *ArgumentError is the author's of the argument; an
// *ExitError says what QEMU said when it would not start.
func (g *Guest) On(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.process != nil && g.process.running() {
		return fmt.Errorf("start guest %s: %w", g.opts.ID, ErrOn)
	}
	c, err := g.prepare(ctx)
	if err != nil {
		return err
	}
	streams := map[socket]*stream{}
	for name, at := range g.streams() {
		if *at == nil || (*at).guest == nil {
			if err := renew(at); err != nil {
				return fmt.Errorf("start guest %s: %w", g.opts.ID, err)
			}
		}
		streams[name] = *at
	}
	p, err := start(ctx, g.opts, c, streams)
	if err != nil {
		return fmt.Errorf("start guest %s: %w", g.opts.ID, err)
	}
	g.process = p
	g.opts.Logger.Debug("guest started", "pid", p.cmd.Process.Pid, "accel", c.Accel.Used, "argv", c.Argv)
	return nil
}

// streams are those that the guest has: a console, and a results port where the options ask for one.
func (g *Guest) streams() map[socket]**stream {
	all := map[socket]**stream{consoleSocket: &g.stream}
	if g.opts.Results {
		all[resultsSocket] = &g.results
	}
	return all
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

// Off stops the guest, also one that another process started with this ID. It returns when it is gone; that there was
// none is no error.
func (g *Guest) Off(ctx context.Context) error {
	g.mu.Lock()
	p, console, results := g.process, g.stream, g.results
	g.mu.Unlock()
	if p == nil || !p.running() {
		return Kill(ctx, g.opts.ID)
	}
	if err := p.stop(ctx); err != nil {
		return fmt.Errorf("stop guest %s: %w", g.opts.ID, err)
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
	c, err := g.open(&g.stream)
	if err != nil {
		return nil, fmt.Errorf("open the console of guest %s: %w", g.opts.ID, err)
	}
	return c, nil
}

// ErrNoResults is a guest whose options ask for no results port.
var ErrNoResults = errors.New("it has no results port")

// OpenResults is the results port, as Open is the console: /dev/virtio-ports/gantry.results in a guest with udev. Who
// opens it reads it to its end: when nobody does, a writer in the guest waits.
func (g *Guest) OpenResults(context.Context) (io.ReadWriteCloser, error) {
	if !g.opts.Results {
		return nil, fmt.Errorf("open the results port of guest %s: %w", g.opts.ID, ErrNoResults)
	}
	c, err := g.open(&g.results)
	if err != nil {
		return nil, fmt.Errorf("open the results port of guest %s: %w", g.opts.ID, err)
	}
	return c, nil
}

func (g *Guest) open(at **stream) (*console, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if *at == nil || (*at).guest == nil && (g.process == nil || !g.process.running()) && (*at).opened() {
		if err := renew(at); err != nil {
			return nil, err
		}
	}
	return (*at).open()
}

// Wait waits until the guest that was switched on last is gone, and says how it ended. After the console's io.EOF it
// answers at once, and with an ended ctx it does not wait: an error then means that the guest runs.
func (g *Guest) Wait(ctx context.Context) (End, error) {
	g.mu.Lock()
	p := g.process
	g.mu.Unlock()
	if p == nil {
		return End{}, ErrOff
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		if p.running() {
			return End{}, context.Cause(ctx)
		}
	}
	return p.end, nil
}
