package dut

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/vmhost/kvm"
)

// Options are what a target is made of beside its device file.
type Options struct {
	ID       string // of the attempt, and so of its guests: what they are found by, whoever started them
	Operator bool   // the job is the operator's own
	KVM      KVM    // nil probes each time
	Logger   *slog.Logger
	Makers   []Maker // nil for Makers()
}

// KVM says whether KVM works.
type KVM func(context.Context) kvm.Result

// ProbeOnce probes KVM the first time it is called: a guest is described for the plan, for the record and for its
// start, and what the host can do does not change while it is up.
func ProbeOnce() KVM {
	probe := sync.OnceValue(func() kvm.Result { return kvm.Probe(context.Background()) })
	return func(context.Context) kvm.Result { return probe() }
}

// Maker makes targets of one sort. None of its functions does I/O.
type Maker struct {
	Name  string // what it makes, and what of a device file it is made of
	Takes func(d *jobs.Device) bool
	// Make makes the target of a device file that it takes; its name and device are set for it. Undoers that it sets go
	// before those of the same kind below: they know what this process has switched on.
	Make func(d *jobs.Device, o Options) (*Target, error)
	// Undoers take back what targets of this sort do, by the identity of each thing: a kind is one maker's. No device file
	// is needed for it, since the one of the run's target may be another one meanwhile, or gone.
	Undoers func(o Options) journal.Undoers
}

// Makers is the table of the targets that gantry knows. The first that takes a device file makes its target.
func Makers() []Maker { return []Maker{qemuMaker(), boardMaker()} }

func (o Options) makers() []Maker {
	if o.Makers == nil {
		return Makers()
	}
	return o.Makers
}

// New makes the target that a device file describes. It is the one way to a target, and does no I/O.
func New(d *jobs.Device, o Options) (*Target, error) {
	all := o.makers()
	i := slices.IndexFunc(all, func(m Maker) bool { return m.Takes(d) })
	if i < 0 {
		var names []string
		for _, m := range all {
			names = append(names, m.Name)
		}
		return nil, results.Failf(
			results.ClassInfrastructure, "device %q: its file describes none of the targets that there are: %s", d.Name,
			strings.Join(names, ", or "),
		)
	}
	t, err := all[i].Make(d, o)
	if err != nil {
		return nil, results.Blame(results.ClassInfrastructure, fmt.Errorf("device %q: %w", d.Name, err))
	}
	t.Name, t.Device = d.Name, d
	undoers, err := Undoers(o)
	if err != nil {
		return nil, results.Blame(results.ClassBug, err)
	}
	maps.Copy(undoers, t.Undoers)
	t.Undoers = undoers
	return t, nil
}

// Undoers take back what was done to the target of a run, whatever became of its device file.
func Undoers(o Options) (journal.Undoers, error) {
	var all []journal.Undoers
	for _, m := range o.makers() {
		all = append(all, m.Undoers(o))
	}
	return journal.Merge(all...)
}
