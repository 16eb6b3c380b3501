package dut

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/vmhost/kvm"
	"github.com/gantry-ci/gantry/vmhost/qemu"
)

// GuestOptions are what a guest is made of beside its device file.
type GuestOptions struct {
	ID       string // of the attempt: what the guest is found by, whoever started it
	Operator bool   // the job is the operator's own
	NoKVM    bool   // the job forbids KVM
	KVM      KVM
	Logger   *slog.Logger
}

// KVM says whether KVM works.
type KVM func(context.Context) kvm.Result

// ProbeOnce probes KVM the first time it is called: a guest is prepared for the plan, for the record and for its start,
// and what the host can do does not change while it is up.
func ProbeOnce() KVM {
	probe := sync.OnceValue(func() kvm.Result { return kvm.Probe(context.Background()) })
	return func(context.Context) kvm.Result { return probe() }
}

// Guest makes a Target of a device file that describes a QEMU guest.
func Guest(d *jobs.Device, o GuestOptions) (*Target, error) {
	if d.Qemu == nil {
		return nil, results.Failf(
			results.ClassInfrastructure, "device %q: its file describes no QEMU guest: it has no boot method qemu", d.Name,
		)
	}
	// Some files have arguments behind the command.
	words := strings.Fields(d.Qemu.Command)
	if len(words) == 0 {
		return nil, results.Failf(results.ClassInfrastructure, "device %q: boot method qemu has no command", d.Name)
	}
	trust := qemu.Served
	if o.Operator {
		trust = qemu.Operator
	}
	g := qemu.New(qemu.Options{
		ID: o.ID, Trust: trust, NoKVM: o.NoKVM, KVM: o.KVM, Logger: o.Logger, Results: d.Results == jobs.ResultsVirtioSerial,
		Machine: qemu.Machine{Binary: words[0], Options: append(words[1:], d.Qemu.Options...), Extra: d.Qemu.Extra},
	})
	t := &Target{Name: d.Name, Device: d, Power: guest{g}, Console: guest{g}, Machine: guest{g}}
	if d.Results == jobs.ResultsVirtioSerial {
		t.Results = guest{g}
	}
	return t, nil
}

// guest gives a guest's errors the class that only this room knows.
type guest struct{ *qemu.Guest }

// Node is where Linux with udev has the results port.
func (guest) Node() string { return "/dev/virtio-ports/" + qemu.ResultsPort }

// On starts the guest: what QEMU refuses to start with is the job's images and arguments; that it cannot be started
// at all is the lab's.
func (g guest) On(ctx context.Context) error { return blame(g.Guest.On(ctx)) }

// Prepare decides what On will do.
func (g guest) Prepare(ctx context.Context) (results.Accel, []string, error) {
	c, err := g.Guest.Prepare(ctx)
	if err != nil {
		return results.Accel{}, nil, blame(err)
	}
	return results.Accel{Used: c.Accel.Used, Why: c.Accel.Why}, c.Changes, nil
}

// Exit is how the guest ended by itself: a guest that went down in order is its images' doing, one that somebody killed
// (the host, out of memory) is not.
func (g guest) Exit() error {
	ended, cancel := context.WithCancel(context.Background())
	cancel() // ask, do not wait
	end, err := g.Wait(ended)
	switch {
	case err != nil || end.Stopped:
		return nil //nolint:nilerr // it runs, was never started, or was switched off
	case end.Signal != "":
		return results.Failf(results.ClassInfrastructure, "the emulator was ended by a signal: %s", end.Signal)
	case strings.HasPrefix(end.Reason, "host-"): // a SIGTERM, a quit: QEMU leaves in order, and somebody told it to
		return results.Failf(results.ClassInfrastructure, "the emulator was told to quit (%s)", end.Reason)
	case end.Status != 0:
		return results.Failf(results.ClassJob, "the emulator exited with status %d: %s", end.Status, end.Stderr)
	case end.Panicked:
		return results.Failf(results.ClassJob, "the guest panicked")
	}
	return results.Failf(results.ClassJob, "the guest shut itself down (%s)", end.Reason)
}

func blame(err error) error {
	if e := (*qemu.ArgumentError)(nil); errors.As(err, &e) {
		return results.Blame(results.ClassJob, err)
	}
	if e := (*qemu.ExitError)(nil); errors.As(err, &e) && !e.HostFault() {
		return results.Blame(results.ClassJob, err)
	}
	return results.Blame(results.ClassInfrastructure, err)
}
