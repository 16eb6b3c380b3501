package qemu

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/gantry-ci/gantry/vmhost/kvm"
	"github.com/gantry-ci/gantry/vmhost/qemuarg"
	"github.com/gantry-ci/gantry/vmhost/vm"
)

// Guests are the guests of one attempt that a device file describes. Making them does no I/O.
type Guests struct {
	opts    Options
	formats formats

	mu   sync.Mutex
	made map[string]*Guest // by name
}

var _ vm.Guests = (*Guests)(nil)

// New makes guests that are off.
func New(o Options) *Guests {
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
	return &Guests{opts: o, made: map[string]*Guest{}}
}

// Guest is the guest of that name; "" is the first.
func (g *Guests) Guest(name string) vm.Guest { return g.guest(name) }

func (g *Guests) guest(name string) *Guest {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.made[name] == nil {
		id := vm.ID(g.opts.ID, name)
		g.made[name] = &Guest{
			id: id, opts: g.opts, formats: &g.formats, logger: g.opts.Logger.With("guest", id),
		}
	}
	return g.made[name]
}

// Off switches the guest of that id off: one of these, or one that another process started.
func (g *Guests) Off(ctx context.Context, id string) error {
	if guest := g.withID(id); guest != nil {
		return guest.Off(ctx)
	}
	return Kill(ctx, id)
}

// withID is the guest of that id, nil where none was asked for.
func (g *Guests) withID(id string) *Guest {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, guest := range g.made {
		if guest.id == id {
			return guest
		}
	}
	return nil
}

// Check returns an error if the job may not use an argument of the spec, or it is invalid.
func (g *Guests) Check(s vm.Spec) error {
	_, err := g.opts.read(s)
	return err
}

// read makes options of the job's arguments, and refuses what the job may not use.
func (o Options) read(s vm.Spec) ([]option, error) {
	known := images(s.Images)
	p := policy{limits: o.Limits, isImage: func(file string) bool { return isPlaceholder(file) || known.has(file) }}
	var all []option
	size := 0
	for i, line := range s.Args {
		opts, err := parse(line, qemuarg.FromJob)
		if err == nil && o.Trust != Operator {
			if size += len(line); size > maxArgs || len(all)+len(opts) > maxOptions {
				err = &qemuarg.ArgumentError{
					Source: string(qemuarg.FromJob), Argument: line[:min(len(line), 80)],
					Reason: "the job has too many arguments",
				}
			}
			for _, opt := range opts {
				if err == nil {
					err = p.checkServed(opt)
				}
			}
			if err == nil {
				err = checkDisks(append(slices.Clip(all), opts...), known.resolve)
			}
		}
		if err != nil {
			return nil, at(err, i)
		}
		all = append(all, opts...)
	}
	return all, nil
}

// at says in which of the job's arguments an error is.
func at(err error, index int) error {
	if e, ok := err.(*qemuarg.ArgumentError); ok { //nolint:errorlint // it is made here, and nothing wraps it
		e.Index = index
	}
	return err
}

// images are the paths of a spec's images by name.
type images map[string]string

func (m images) has(path string) bool {
	if path == "" {
		return false
	}
	for _, p := range m {
		if p == path {
			return true
		}
	}
	return false
}

// resolve is the path of the image that {name} stands for, as far as it is known.
func (m images) resolve(name string) string {
	if p := m[strings.Trim(name, "{}")]; p != "" && isPlaceholder(name) {
		return p
	}
	return name
}

func isPlaceholder(s string) bool { return s != "" && placeholder.FindString(s) == s }

// builder is what makes commands for a guest.
func (g *Guest) builder(s vm.Spec, unknown bool) *builder {
	known := images(s.Images)
	isImage := known.has
	if unknown {
		isImage = func(file string) bool { return isPlaceholder(file) || known.has(file) }
	}
	return &builder{
		machine: g.opts.Machine, trust: g.opts.Trust, network: g.opts.Network, images: known, unknown: unknown,
		policy: policy{g.opts.Limits, isImage}, results: s.Results,
	}
}

// checkID refuses what cannot be found again.
func checkID(id string) error {
	if !vm.ValidID(id) {
		return fmt.Errorf("guest %q: an id is letters, digits, dots, underscores and dashes", id)
	}
	return nil
}
