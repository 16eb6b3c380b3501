package dut

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gantry-ci/gantry/devices/hostcmd"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/journal"
)

// undoBoardPower cuts the power of a board. Its argument is an outlet.
const undoBoardPower = "board-power"

// outlet is what gives a board its power: the very commands that cut it, as they were when power was given. A device
// file that is edited, renamed or removed meanwhile changes nothing: another board may hang on the outlet that it names
// now. The commands are executed as the journal has them, which only the runner's user can write.
type outlet struct {
	Board string   `json:"board"`
	Cut   []string `json:"power_off"`
}

// boardMaker makes boards whose power is switched by commands of the host. One that cannot be switched off again has
// no power.
func boardMaker() Maker {
	return Maker{
		Name:  "a board (LAVA's device file, with commands: connect, connections, hard_reset, power_on or power_off)",
		Takes: isBoard,
		Make: func(d *jobs.Device, _ Options) (*Target, error) {
			c := d.Commands
			if len(c.PowerOff) == 0 || len(c.PowerOn)+len(c.HardReset) == 0 {
				return &Target{}, nil
			}
			undo, err := json.Marshal(outlet{d.Name, c.PowerOff})
			if err != nil {
				return nil, fmt.Errorf("describe the outlet: %w", err)
			}
			return &Target{Power: &Power{
				hostcmd.Power{Before: c.PrePower, Give: c.PowerOn, Reset: c.HardReset, Cut: c.PowerOff},
				journal.Undo{Kind: undoBoardPower, Arg: string(undo), Name: d.Name},
			}}, nil
		},
		Undoers: func(Options) journal.Undoers { return journal.Undoers{undoBoardPower: cut} },
	}
}

func isBoard(d *jobs.Device) bool {
	c := d.Commands
	return c.Connect != "" || len(c.Connections)+len(c.HardReset)+len(c.PowerOn)+len(c.PowerOff) > 0
}

// cut cuts the power of an outlet that a journal names.
func cut(ctx context.Context, arg string) error {
	var o outlet
	if err := json.Unmarshal([]byte(arg), &o); err != nil {
		return fmt.Errorf("read the outlet of a board: %w", err)
	}
	if err := (hostcmd.Power{Cut: o.Cut}).Off(ctx); err != nil {
		return fmt.Errorf("cut the power of %s: %w", o.Board, err)
	}
	return nil
}
