package dut

import (
	"context"
	"errors"
	"strings"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/vmhost/qemu"
)

const (
	undoQemuGuest = "qemu-guest" // a guest's id
	// undoPowerOff is of journals that name the target: its one guest had the attempt's id.
	undoPowerOff = "power-off"
)

// qemuMaker makes guests of plain QEMU.
func qemuMaker() Maker {
	return Maker{
		Name:  "a QEMU guest (boot method qemu)",
		Takes: func(d *jobs.Device) bool { return d.Qemu != nil },
		Make:  qemuTarget,
		Undoers: func(o Options) journal.Undoers {
			return journal.Undoers{
				undoQemuGuest: qemu.Kill,
				undoPowerOff:  func(ctx context.Context, _ string) error { return qemu.Kill(ctx, o.ID) },
			}
		},
	}
}

func qemuTarget(d *jobs.Device, o Options) (*Target, error) {
	// Some files have arguments behind the command.
	words := strings.Fields(d.Qemu.Command)
	if len(words) == 0 {
		return nil, errors.New("boot method qemu has no command")
	}
	trust := qemu.Served
	if o.Operator {
		trust = qemu.Operator
	}
	g := qemu.New(qemu.Options{
		ID: o.ID, Trust: trust, KVM: o.KVM, Logger: o.Logger,
		Machine: qemu.Machine{Binary: words[0], Options: append(words[1:], d.Qemu.Options...), Extra: d.Qemu.Extra},
	})
	return GuestTarget(g, undoQemuGuest, d.Results == jobs.ResultsVirtioSerial), nil
}
