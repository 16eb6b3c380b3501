// Package dut is the target under test: what a run occupies, seen by the methods that use it: small interfaces that
// boards and guests both satisfy without knowing each other. It is the one place where devices and vmhost meet.
package dut

import (
	"context"
	"io"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
)

// Target is a set of capabilities; nil means the target lacks it. None of them has done any I/O before a step runs.
type Target struct {
	Name   string
	Device *jobs.Device

	Power    Power
	Console  Console
	Consoles Consoles // of a board
	Machine  Machine
	Results  Results // only where the device file asks for it
}

// Power switches the target. Both are idempotent; Off works for what another process switched on.
type Power interface {
	On(ctx context.Context) error
	Off(ctx context.Context) error
}

// Console is the target's first serial line. The stream ends when its reader is closed, or the guest is gone.
type Console interface {
	Open(ctx context.Context) (io.ReadWriteCloser, error)
}

// Results is a way beside the console on which the target sends copies of its results, as bytes. Who opens it reads it
// to its end, which is the target's.
type Results interface {
	OpenResults(ctx context.Context) (io.ReadWriteCloser, error)
	// Node is where it is in the target.
	Node() string
}

// Machine is what only guests have: a command line of their own.
type Machine interface {
	// Image says where the image that arguments call {name} is, or will be when the guest is switched on.
	Image(name, path string)
	// Args adds arguments of the job. What it refuses, it refuses at once, and the fault is their author's.
	Args(args ...string) error
	// Prepare says how the guest will be executed, and what of the device's and the job's arguments is changed for it.
	Prepare(ctx context.Context) (accel results.Accel, changes []string, err error)
	// Exit is how the guest ended by itself: nil while it runs, and when it was switched off or shut down in order.
	Exit() error
}

// Timeouts are the device file's.
func (t *Target) Timeouts() jobs.Timeouts {
	if t.Device == nil {
		return jobs.Timeouts{}
	}
	return jobs.Timeouts{Actions: t.Device.Timeouts.Actions, Connections: t.Device.Timeouts.Connections}
}
