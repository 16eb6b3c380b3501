package jobs

import (
	"github.com/gantry-ci/gantry/internal/schema"
)

// Device is a target's description: LAVA's rendered device file, or gantry's short form. Sections that drivers own stay
// as nodes, for the driver to decode with schema.Decode.
type Device struct {
	Name  string // LAVA's hostname
	Type  string // LAVA's devicetype
	Short bool   // it is gantry's short form
	Tags  []string
	Trust string

	Constants   Constants
	Timeouts    DeviceTimeouts
	Delays      CharacterDelays
	Results     string        // how results are also sent, beside the console: "", ResultsVirtioSerial or ResultsSSH
	ResultsSSH  *ResultsLogin // of ResultsSSH
	Commands    DeviceCommands
	Parameters  *schema.Node
	Deploy      map[string]*schema.Node // methods that LAVA's file allows, by name
	Boot        map[string]*schema.Node
	Connections map[string]*schema.Node // of boot: serial, ssh, …
	Qemu        *QemuParameters         // of boot.methods.qemu

	Power   *schema.Node   // short form: {driver: …}
	Console []*schema.Node // {name, driver: …}
	Storage []*schema.Node
	USB     []*schema.Node

	Source *schema.Node
}

// Ways of results beside the console: each gets a copy of each result.
const (
	ResultsVirtioSerial = "virtio-serial" // a port of a guest
	ResultsSSH          = "ssh"           // a file of the target that is followed by ssh
)

// QemuParameters is actions.boot.methods.qemu.parameters of LAVA's device file, or boot.qemu of the short form.
type QemuParameters struct {
	Command     string   // the emulator's path, with arguments after it in some files
	Options     []string // each may hold several arguments, to be split as a shell does
	Extra       []string
	BootOptions *schema.Node // LAVA's boot_options: root, console, …
	Node        *schema.Node // the whole section
}

// Constants are strings and numbers that methods use.
type Constants struct {
	TestShell          string // posix.lava_test_sh_cmd
	TestResultsDir     string // posix.lava_test_results_dir; %s is the job's id
	DefaultShellPrompt string
	KernelStartMessage string
	ShutdownMessage    string
	BootMessage        string
	Results            string // gantry-results: Device.Results in LAVA's file, which allows no other place
	ResultsSSH         *ResultsLogin
	SpawnMaxread       int
	FailureRetry       int
	BootRetry          int
	Node               *schema.Node // everything, such as the boot loaders' messages
}

// CharacterDelays are pauses between typed characters, in milliseconds.
type CharacterDelays struct{ Deploy, Boot, Test int }

// DeviceTimeouts are a device's defaults by name of action.
type DeviceTimeouts struct {
	Actions, Connections map[string]Timeout
}

// DeviceCommands are shell commands of the lab's host.
type DeviceCommands struct {
	Connect                                     string
	Connections                                 map[string]DeviceConnection
	HardReset, SoftReboot, PowerOn, PowerOff    []string
	PrePower, PreOS, RecoveryMode, RecoveryExit []string
	Users                                       map[string]UserCommand
}

// DeviceConnection is a command that opens a console.
type DeviceConnection struct {
	Connect string
	Tags    []string
}

// UserCommand is what a job's command action runs, and what takes it back.
type UserCommand struct{ Do, Undo string }
