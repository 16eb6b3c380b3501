// Package dut is the target under test: what a run occupies, seen by the methods that use it: small interfaces that
// boards and guests both satisfy without knowing each other. It is the one place where devices and vmhost meet.
package dut

import (
	"context"
	"io"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/vmhost/qemuarg"
	"github.com/gantry-ci/gantry/vmhost/vm"
)

// Target is a set of capabilities; nil means the target lacks it. None of them has done any I/O before a step runs.
type Target struct {
	Name   string
	Device *jobs.Device

	Power    *Power   // of a board
	Consoles Consoles // of a board
	Guests   Guests   // of a device that has guests

	// Undoers take back what is done to targets, by the identity of each thing.
	Undoers journal.Undoers
}

// Power is a board's power. Undo names what is switched: it goes to the journal before power is given.
type Power struct {
	Switch
	Undo journal.Undo
}

// Switch gives and cuts power. Both are idempotent; Off works for what another process switched on.
type Switch interface {
	On(ctx context.Context) error
	Off(ctx context.Context) error
}

// Spec is what a guest boots: a value that is made anew for each boot.
type Spec = vm.Spec

// ArgumentError is an argument of a job that a guest cannot be given; Index says which of the Spec's it is in.
type ArgumentError = qemuarg.ArgumentError

// Guests are the virtual machines of a target.
type Guests interface {
	// Check returns an error if the job may not use an argument of the spec, or it is invalid: an *ArgumentError. It is
	// pure, and meant for the plan.
	Check(s Spec) error
	// CheckTogether returns an error if guests of these specs may not run at the same time, because of the memory (MiB) or
	// the processors that they take in sum. It is as pure as Check.
	CheckTogether(all []Spec) error
	// Guest is the guest of that name, the same at each call. The first guest of a run is called "".
	Guest(name string) Guest
}

// Guest is one virtual machine: a set of capabilities, as Target is. Undo names the guest on its host: it goes to the
// journal before the guest is switched on.
type Guest struct {
	Machine Machine
	Console Console
	Results ResultsPort // nil where the device file asks for none
	Undo    journal.Undo
}

// Machine is what a guest boots, and its power.
type Machine interface {
	// Describe says how the guest would be executed, and what of the device's and the job's arguments is changed for it.
	// Images may be unknown.
	Describe(ctx context.Context, s Spec) (accel results.Accel, changes []string, err error)
	// On starts the guest; it must be off.
	On(ctx context.Context, s Spec) error
	// Off is idempotent, and works for what another process switched on.
	Off(ctx context.Context) error
	// Exit is how the guest ended by itself: nil while it runs, and when it was switched off or shut down in order.
	Exit() error
}

// Console is a serial line of the target. The stream ends when its reader is closed, or the guest is gone.
type Console interface {
	Open(ctx context.Context) (io.ReadWriteCloser, error)
}

// ResultsPort is a way beside the console on which the target sends copies of its results, as bytes. Who opens it reads
// it to its end, which is the target's.
type ResultsPort interface {
	OpenResults(ctx context.Context) (io.ReadWriteCloser, error)
	// Node is where it is in the target.
	Node() string
}

// ResultsNode is where the target has a results port, "" where it has none.
func (t *Target) ResultsNode() string {
	if t.Guests == nil {
		return ""
	}
	if r := t.Guests.Guest("").Results; r != nil {
		return r.Node()
	}
	return ""
}

// Timeouts are the device file's.
func (t *Target) Timeouts() jobs.Timeouts {
	if t.Device == nil {
		return jobs.Timeouts{}
	}
	return jobs.Timeouts{Actions: t.Device.Timeouts.Actions, Connections: t.Device.Timeouts.Connections}
}
