package dut

import (
	"context"
	"errors"
	"strings"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/vmhost/qemuarg"
	"github.com/gantry-ci/gantry/vmhost/vm"
)

// GuestTarget is a target of a back end's guests. Undo is the kind that takes a guest back by its id; results says
// whether the device file wants a results port.
func GuestTarget(g vm.Guests, undo string, results bool) *Target {
	return &Target{Guests: guests{g, undo, results}, Undoers: journal.Undoers{undo: g.Off}}
}

// guests gives a back end's errors the classes that only this room knows.
type guests struct {
	vm.Guests
	undo    string
	results bool
}

func (g guests) Check(s Spec) error { return blame(g.Guests.Check(s)) }

func (g guests) CheckTogether(all []Spec) error {
	if err := g.Guests.CheckTogether(all); err != nil {
		return results.Blame(results.ClassJob, err)
	}
	return nil
}

func (g guests) Guest(name string) Guest {
	m := g.Guests.Guest(name)
	all := Guest{Machine: machine{m}, Console: m, Undo: journal.Undo{Kind: g.undo, Arg: m.ID()}}
	if g.results {
		all.Results = port{m}
	}
	return all
}

// port is a guest's results port.
type port struct{ vm.Lines }

// Node is where Linux with udev has the results port.
func (port) Node() string { return vm.ResultsNode }

// machine gives a guest's errors their class.
type machine struct{ vm.Guest }

// On starts the guest: what QEMU refuses to start with is the job's images and arguments; that it cannot be started
// at all is the lab's.
func (m machine) On(ctx context.Context, s Spec) error { return blame(m.Guest.On(ctx, s)) }

// Describe says what On will do.
func (m machine) Describe(ctx context.Context, s Spec) (results.Accel, []string, error) {
	e, err := m.Guest.Describe(ctx, s)
	if err != nil {
		return results.Accel{}, nil, blame(err)
	}
	return results.Accel{Used: e.Accel.Used, Why: e.Accel.Why}, e.Changes, nil
}

// Exit is how the guest ended by itself: a guest that went down in order is its images' doing, one that somebody killed
// (the host, out of memory) is not.
func (m machine) Exit() error {
	ended, cancel := context.WithCancel(context.Background())
	cancel() // ask, do not wait
	end, err := m.Wait(ended)
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

// blame classifies a guest's error: the job's faults are in its arguments and images, all others are the device file's
// and the host's.
func blame(err error) error {
	if e := (*ArgumentError)(nil); errors.As(err, &e) && e.Source != string(qemuarg.FromDevice) {
		return results.Blame(results.ClassJob, err)
	}
	var fault interface{ HostFault() bool }
	if errors.As(err, &fault) && !fault.HostFault() {
		return results.Blame(results.ClassJob, err)
	}
	return results.Blame(results.ClassInfrastructure, err)
}
