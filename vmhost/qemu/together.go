package qemu

import (
	"cmp"
	"fmt"

	"github.com/gantry-ci/gantry/vmhost/qemuarg"
	"github.com/gantry-ci/gantry/vmhost/vm"
)

// What QEMU gives a guest of which nobody says how much it has.
const (
	defaultMemoryMiB = 128
	defaultCPUs      = 1
)

// CheckTogether says why guests of these specs may not run at the same time. One job's limits are those of all its
// guests. What the device file gives each guest counts as well, but one guest alone may have that.
func (g *Guests) CheckTogether(all []vm.Spec) error {
	if g.opts.Trust == Operator || len(all) < 2 {
		return nil
	}
	memory, cpus := 0, 0
	for _, s := range all {
		m, err := g.opts.machine(s)
		if err != nil {
			return fmt.Errorf("add up what the guests take: %w", err)
		}
		memory += cmp.Or(m.MemoryMiB, defaultMemoryMiB)
		cpus += cmp.Or(m.CPUs, defaultCPUs)
	}
	if most := g.opts.Limits.MemoryMiB; memory > most {
		return fmt.Errorf(
			"the job's %d guests have %d MiB of memory together; those of a served job may have at most %d", len(all),
			memory, most,
		)
	}
	if most := g.opts.Limits.CPUs; cpus > most {
		return fmt.Errorf(
			"the job's %d guests have %d processors together; those of a served job may have at most %d", len(all), cpus, most,
		)
	}
	return nil
}

// machine is what a guest has by device file and job. As in QEMU, the last word counts, which is the job's.
func (o Options) machine(s vm.Spec) (qemuarg.Machine, error) {
	device, err := deviceOptions(o.Machine)
	if err != nil {
		return qemuarg.Machine{}, err
	}
	job, err := o.read(s)
	if err != nil {
		return qemuarg.Machine{}, err
	}
	var sizes []qemuarg.Option
	for _, opt := range append(device, job...) {
		if opt.Name == "m" || opt.Name == "smp" {
			sizes = append(sizes, opt.Option)
		}
	}
	return qemuarg.Read(sizes)
}
