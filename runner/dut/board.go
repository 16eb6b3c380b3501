package dut

import (
	"context"
	"fmt"

	"github.com/gantry-ci/gantry/devices/hostcmd"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/journal"
)

// undoBoardPower cuts the power of a board, by its name. The board is the one of the run's own device file.
const undoBoardPower = "board-power"

// boardMaker makes boards whose power is switched by commands of the host.
func boardMaker() Maker {
	return Maker{
		Name:  "a board (commands: power_on, power_off or hard_reset)",
		Takes: hasPower,
		Make: func(d *jobs.Device, _ Options) (*Target, error) {
			return &Target{Power: &Power{commandPower(d), journal.Undo{Kind: undoBoardPower, Arg: d.Name}}}, nil
		},
		Undoers: func(d *jobs.Device, _ Options) journal.Undoers {
			return journal.Undoers{undoBoardPower: func(ctx context.Context, board string) error {
				if d == nil || d.Name != board || !hasPower(d) {
					return fmt.Errorf("the runner has no device file that says how to switch %s", board)
				}
				return commandPower(d).Off(ctx)
			}}
		},
	}
}

func hasPower(d *jobs.Device) bool {
	return len(d.Commands.PowerOn)+len(d.Commands.PowerOff)+len(d.Commands.HardReset) > 0
}

func commandPower(d *jobs.Device) hostcmd.Power {
	c := d.Commands
	return hostcmd.Power{Before: c.PrePower, Give: c.PowerOn, Reset: c.HardReset, Cut: c.PowerOff}
}
