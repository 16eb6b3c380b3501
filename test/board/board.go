// Package board is a board that tests run on, all of it in this file: a driver of its own, with a row in the table of
// makers. Its power is a file, which is there while the board is on, and its consoles are shells that ask for a login
// when it boots. It is an example of a driver, too: nothing else of the runner knows it.
package board

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/gantry-ci/gantry/devices/hostcmd"
	"github.com/gantry-ci/gantry/internal/shell"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/journal"
)

// driver is what the sections of a device file are called that are this one's.
const driver = "scratch"

// undoOutlet cuts the power of an outlet, by its path.
const undoOutlet = "scratch-outlet"

// Device is the device file of a board with two consoles, on an outlet.
func Device(name, outlet string) string {
	return fmt.Sprintf(`name: %s
type: board
power: {driver: scratch, outlet: %q}
console:
- {name: uart0, driver: scratch}
- {name: uart1, driver: scratch}
`, name, outlet)
}

// Makers are gantry's own, and that of this board.
func Makers() []dut.Maker {
	return append(dut.Makers(), dut.Maker{
		Name: "a scratch board (power: {driver: scratch})",
		Takes: func(d *jobs.Device) bool {
			return d.Power != nil && d.Power.Get("driver").Text == driver
		},
		Make: func(d *jobs.Device, _ dut.Options) (*dut.Target, error) { return target(d) },
		Undoers: func(dut.Options) journal.Undoers {
			return journal.Undoers{undoOutlet: func(ctx context.Context, outlet string) error { return power(outlet).Off(ctx) }}
		},
	})
}

func target(d *jobs.Device) (*dut.Target, error) {
	outlet := d.Power.Get("outlet")
	if outlet == nil {
		return nil, errors.New("power: scratch needs an outlet")
	}
	t := &dut.Target{Power: &dut.Power{
		Switch: power(outlet.Text), Undo: journal.Undo{Kind: undoOutlet, Arg: outlet.Text},
	}}
	for _, c := range d.Console {
		name := c.Get("name")
		if name == nil || c.Get("driver").Text != driver {
			return nil, errors.New("console: a scratch board has consoles with names, and the driver scratch")
		}
		t.Consoles = append(t.Consoles, dut.NamedConsole{Name: name.Text, Console: console{name.Text, outlet.Text}})
	}
	return t, nil
}

func power(outlet string) hostcmd.Power {
	file := shell.Quote(outlet)
	return hostcmd.Power{Give: []string{"touch " + file}, Cut: []string{"rm -f " + file}}
}

// console is a serial line of the board.
type console struct{ name, outlet string }

// system is what runs on the board, on one of its consoles ($0). It prints nothing without power ($1), and echoes what
// is typed. It ends with its line.
const system = `
until [ -e "$1" ]; do sleep 0.02; done
echo "booting"
printf 'login: '
read -r l && printf '%s\n%s# ' "$l" "$0"
while read -r l && [ -e "$1" ]; do printf '%s\n' "$l"; eval "$l"; printf '%s# ' "$0"; done
`

// Open starts what is on the line.
func (c console) Open(context.Context) (io.ReadWriteCloser, error) {
	cmd := exec.Command("sh", "-c", strings.TrimSpace(system), c.name, c.outlet)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = cmd.Stdout
	return &line{out, in, cmd}, cmd.Start()
}

// line is a program as a stream.
type line struct {
	io.Reader
	io.WriteCloser
	cmd *exec.Cmd
}

func (l *line) Close() error {
	err := l.WriteCloser.Close()
	_ = l.cmd.Process.Kill()
	_ = l.cmd.Wait() // killed
	return err
}
