// Package vm is what all back ends of guests have in common: what a guest boots (Spec), how it is executed and how it
// ends, and what a back end promises (Guests, Guest). vmtest holds back ends to it. What is booted is a value that is
// handed over with each call: a back end remembers nothing of a plan.
package vm

import (
	"context"
	"errors"
	"io"
)

// Spec is what one guest boots: a value, the same for the plan and for the start. A guest that is switched on again,
// by a second boot or a second deploy, is given another one.
type Spec struct {
	// Images are the paths of the job's images by the names that arguments have for them: {name}. A path is "" as long as
	// nobody knows it, which is so while a plan is made.
	Images map[string]string
	// Args are the job's arguments as image_args have them: command lines of QEMU, each of several words, quoted as for a
	// shell. Memory, processors, disks and networks are said here.
	Args []string
	// NoKVM forbids KVM.
	NoKVM bool
	// Results gives the guest a port for results beside the console.
	Results bool
}

// Accel says how a guest is executed, and why so.
type Accel struct {
	Used string `json:"used"` // kvm or tcg
	Why  string `json:"why"`
}

// Execution is how a guest will be executed.
type Execution struct {
	Accel   Accel    `json:"accel"`
	Changes []string `json:"changes"` // what differs from what device file and job say, in words
}

// End says how a guest's process ended.
type End struct {
	Status   int    `json:"status"`           // exit status, -1 when killed
	Signal   string `json:"signal,omitempty"` // that killed it
	Stopped  bool   `json:"stopped"`          // by Off
	Reason   string `json:"reason,omitempty"` // as QEMU calls its shutdowns: guest-shutdown, guest-reset, host-signal, …
	Panicked bool   `json:"panicked"`         // the guest said so through a pvpanic device
	Stderr   string `json:"stderr,omitempty"` // its last words
}

var (
	// ErrOff is returned by what needs a running guest.
	ErrOff = errors.New("the guest is off")
	// ErrOn is returned by On when the guest is running.
	ErrOn = errors.New("the guest is on already")
	// ErrNoResults is a guest that was not given a results port.
	ErrNoResults = errors.New("it has no results port")
)

// Guests are the guests that one device file describes, for one attempt at a run. Making them does no I/O.
type Guests interface {
	// Check says what of a spec a job may not ask for, or makes no sense: a *qemuarg.ArgumentError, which names the
	// argument. It is pure: no file is read, KVM is not probed, and it may be called any number of times. Images may be
	// unknown.
	Check(s Spec) error
	// CheckTogether says why guests of these specs may not run at the same time: what they take of the host in sum is more
	// than a job may ask for, in MiB of memory or in processors. One guest may run whatever its back end gives it. It is
	// as pure as Check, which has accepted each of the specs.
	CheckTogether(all []Spec) error
	// Guest is the guest of that name, the same one at each call. The first guest of an attempt is called "". Its id is
	// ID(attempt, name).
	Guest(name string) Guest
	// Off switches the guest of that id off, as Guest.Off does: one of these, or one that another process started.
	Off(ctx context.Context, id string) error
}

// Guest is one virtual machine. It may be switched on and off any number of times, with other specs. Its methods may be
// called from any goroutine.
type Guest interface {
	// ID is what the guest is found by on its host, by any process.
	ID() string
	Describer
	Switch
	Lines
}

// Describer says how a guest would be executed.
type Describer interface {
	// Describe does no more I/O than the probe of KVM, of which the back end is given the result. Images may be unknown.
	Describe(ctx context.Context, s Spec) (Execution, error)
}

// Switch is a guest's power.
type Switch interface {
	// On starts the guest and returns when its processors run. ErrOn is a guest that runs; a *qemuarg.ArgumentError is the
	// author's of the argument; an error with HostFault() false is the images' or the arguments', any other the host's.
	// An ended ctx ends a start under way, never a guest that runs.
	On(ctx context.Context, s Spec) error
	// Off stops the guest, also one that another process started with this id. It returns when it is gone; that there was
	// none is no error.
	Off(ctx context.Context) error
	// Wait waits until the guest that was switched on last is gone, and says how it ended; ErrOff when none was. After the
	// console's io.EOF it answers at once, and with an ended ctx it does not wait: an error then means that it runs.
	Wait(ctx context.Context) (End, error)
}

// Lines are the ways into a guest, as bytes. One reader at a time: it is closed before the line is opened again.
type Lines interface {
	// Open is the serial console, from the first byte of the guest when it is opened before On or before anything was
	// read. It ends with io.EOF when the guest does. Opened while the guest is off, it waits for the next On.
	Open(ctx context.Context) (io.ReadWriteCloser, error)
	// OpenResults is the results port of a guest that was switched on with one: /dev/virtio-ports/gantry.results in a
	// guest with udev. Who opens it reads it to its end: when nobody does, a writer in the guest waits.
	OpenResults(ctx context.Context) (io.ReadWriteCloser, error)
}
