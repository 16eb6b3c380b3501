package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/test/board"
)

// lavaBoard is a board's device file as LAVA renders it, with commands.
func lavaBoard(commands string) string {
	return `hostname: lava-1
devicetype: board
commands: {` + commands + `}
constants: {}
parameters: {}
actions: {deploy: {methods: {}}, boot: {methods: {}, connections: {}}}
timeouts: {actions: {}, connections: {}}
`
}

// A configuration may name each device file of which there is a maker. One that nobody takes is refused with its name,
// and with what there is.
func TestReadConfigDevices(t *testing.T) {
	const nobody = `the-device.yaml: device "odd": its file describes none of the targets that there are: ` +
		"a QEMU guest (boot method qemu), or a board (LAVA's device file, with commands: "
	for name, c := range map[string]struct{ device, want string }{
		"guest":          {"name: g\ntype: qemu\nboot: {qemu: {command: qemu-system-x86_64}}\n", ""},
		"driver":         {board.Device("board-1", "/nowhere"), ""},
		"commands":       {lavaBoard("connect: telnet x, power_on: 'on', power_off: 'off'"), ""},
		"console alone":  {lavaBoard("connect: telnet x"), ""},
		"no commands":    {lavaBoard(""), `device "lava-1": its file describes none of the targets`},
		"unknown driver": {"name: odd\ntype: t\npower: {driver: nobodys, outlet: 1}\n", nobody},
		"nothing":        {"name: odd\ntype: t\n", nobody},
		"no outlet": {
			"name: b\ntype: t\npower: {driver: scratch}\n", `the-device.yaml: device "b": power: scratch needs an outlet`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := bench{t.TempDir()}
			b.write(t, nil)
			if err := os.WriteFile(filepath.Join(b.dir, "the-device.yaml"), []byte(c.device), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := ReadConfig(b.file(), readDevice, board.Makers())
			switch {
			case c.want == "" && (err != nil || len(got.Devices) != 1):
				t.Errorf("refused: %v", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// A board is accepted although it lacks what jobs need. Such a job is refused with its line, and nothing is executed.
func TestBoardLacks(t *testing.T) {
	for commands, want := range map[string][]string{
		"connect: telnet x, power_on: 'false', power_off: 'false'": {"line 6: boot minimal: lava-1 has no console"},
		"connect: telnet x": {
			"line 6: boot minimal: lava-1 has no console", "line 6: boot minimal: lava-1 has no power that can be switched",
		},
		"connect: telnet x, hard_reset: 'false'":                       {"lava-1 has no power that can be switched"},
		"connect: telnet x, power_off: 'false'":                        {"lava-1 has no power that can be switched"},
		"connect: telnet x, power_on: 'false', pre_power_command: 'x'": {"lava-1 has no power that can be switched"},
	} {
		b := bench{t.TempDir()}
		b.write(t, nil)
		if err := os.WriteFile(filepath.Join(b.dir, "a-device.yaml"), []byte(lavaBoard(commands)), 0o600); err != nil {
			t.Fatal(err)
		}
		res, err := b.executor(t).Execute(t.Context(), lab.Assignment{
			Run: "r1", Lease: "lease-1", Attempt: 1, Target: "lava-1", Job: boardJob("true"),
		}, t.TempDir())
		if err != nil || res.Class != results.ClassJob {
			t.Errorf("%s: %+v, %v", commands, res.Verdict, err)
		}
		for _, w := range want {
			if !strings.Contains(res.Message, w) {
				t.Errorf("%s: %s, want %s", commands, res.Message, w)
			}
		}
	}
}
