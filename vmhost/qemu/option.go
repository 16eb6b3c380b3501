package qemu

import (
	"fmt"
	"strings"
)

// origin says who wrote an argument.
type origin string

const (
	fromDevice origin = "device option"
	fromJob    origin = "image_arg"
)

// option is one option of QEMU's command line, with its argument if it takes one.
type option struct {
	name  string // without dashes
	value string
	has   bool   // takes an argument
	file  string // host path inside value that QEMU opens, "" for none
	write bool   // the guest may write to file
	sock  socket // the inherited stream inside value
	from  origin
	text  string // of the argument it came in, for messages
}

// socket names a stream that the process inherits.
type socket int

const (
	noSocket socket = iota
	consoleSocket
	qmpSocket
	resultsSocket
)

func (o option) String() string {
	if o.has {
		return "-" + o.name + " " + o.value
	}
	return "-" + o.name
}

// argument kinds: what follows an option's name.
type kind int

const (
	unknown kind = iota
	flag         // nothing
	text         // anything
	list         // comma-separated properties
	path         // a file to read
	disk         // a file to read and write
)

// kindOf knows the options that gantry treats in some way; of the others only the operator may use any.
func kindOf(name string) kind {
	switch name {
	case "kernel", "initrd", "dtb", "bios":
		return path
	case "hda", "hdb", "hdc", "hdd", "cdrom", "sd", "mtdblock", "pflash", "fda", "fdb":
		return disk
	case "append", "serial", "parallel", "monitor", "cpu", "m", "smp", "display", "vga", "boot", "rtc", "qmp", "name", "uuid",
		"k", "L", "vnc", "D", "d", "pidfile", "watchdog", "g", "icount":
		return text
	case "drive", "device", "machine", "M", "accel", "net", "netdev", "nic", "chardev", "mon", "object", "global",
		"blockdev", "sandbox", "smbios", "fw_cfg", "audiodev", "tpmdev", "numa", "action", "add-fd", "spice":
		return list
	case "nographic", "enable-kvm", "no-reboot", "no-shutdown", "snapshot", "usb", "nodefaults", "no-acpi", "no-hpet",
		"S", "s", "daemonize", "no-user-config", "full-screen", "no-fd-bootchk", "win2k-hack":
		return flag
	}
	return unknown
}

// optionsOf parses words into options, as QEMU does: one dash or two, the argument in the next word.
func optionsOf(words []string, from origin, source string) ([]option, error) {
	var opts []option
	for i := 0; i < len(words); i++ {
		w := words[i]
		name, dashed := strings.CutPrefix(w, "-")
		name = strings.TrimPrefix(name, "-")
		o := option{name: name, from: from, text: source}
		switch {
		case !dashed || name == "":
			return nil, refuse(o, fmt.Sprintf("%q is not an option", w))
		case kindOf(name) == flag:
		case kindOf(name) != unknown && i+1 == len(words):
			return nil, refuse(o, fmt.Sprintf("-%s needs an argument", name))
		case kindOf(name) != unknown, i+1 < len(words) && !strings.HasPrefix(words[i+1], "-"):
			i++
			o.value, o.has = words[i], true
		}
		opts = append(opts, o)
	}
	return opts, nil
}

// ArgumentError is an argument that may not be used, or makes no sense. Who wrote it is at fault.
type ArgumentError struct {
	Source   string // "image_arg" for the job's, "device option" for the device file's
	Argument string // as written
	Reason   string
}

func (e *ArgumentError) Error() string {
	return fmt.Sprintf("%s %q: %s", e.Source, e.Argument, e.Reason)
}

func refuse(o option, reason string) error {
	return &ArgumentError{Source: string(o.from), Argument: o.text, Reason: reason}
}
