// Package qemuarg says what QEMU's command line means: the options that LAVA's jobs and device files are written in, as
// values. A back end that is not QEMU takes the fields it has a word for (Read) and refuses the rest where the job says
// it. It knows no policy: what a job may ask for is a back end's to say.
package qemuarg

import (
	"fmt"
	"strings"

	"github.com/gantry-ci/gantry/internal/shell"
)

// Origin says who wrote an argument.
type Origin string

// The origins, as messages name them.
const (
	FromDevice Origin = "device option"
	FromJob    Origin = "image_arg"
)

// Option is one option of QEMU's command line, with its argument if it takes one.
type Option struct {
	Name     string // without dashes
	Value    string
	HasValue bool // it takes an argument
	From     Origin
	Source   string // the string it came in, for messages
	Index    int    // of that string among the job's, counted from 0
}

// String is the option as a command line has it, less the quotes.
func (o Option) String() string {
	if o.HasValue {
		return "-" + o.Name + " " + o.Value
	}
	return "-" + o.Name
}

// Props are the properties of the option's argument.
func (o Option) Props() Props { return ParseProps(o.Value) }

// File is the file on the host that the option has QEMU open, "" for none.
func (o Option) File() string {
	switch k := o.Kind(); {
	case k == KindPath, k == KindDisk:
		return o.Value
	case o.Name == "drive":
		file, _ := o.Props().Get("file")
		return file
	}
	return ""
}

// IsDisk says whether the option makes a disk.
func (o Option) IsDisk() bool { return o.Name == "drive" || o.Kind() == KindDisk }

// Format is what a drive says that its file is, "" when QEMU may guess or it is no drive.
func (o Option) Format() string {
	if o.Name != "drive" {
		return ""
	}
	f, _ := o.Props().Get("format")
	return f
}

// Kind is what follows an option's name.
type Kind int

// The kinds of options.
const (
	KindUnknown Kind = iota
	KindFlag         // nothing
	KindText         // anything
	KindList         // comma-separated properties
	KindPath         // a file to read
	KindDisk         // a file to read and write
)

// Kind is the option's.
func (o Option) Kind() Kind { return KindOf(o.Name) }

// KindOf knows the options that a back end treats in some way.
func KindOf(name string) Kind {
	switch name {
	case "kernel", "initrd", "dtb", "bios":
		return KindPath
	case "hda", "hdb", "hdc", "hdd", "cdrom", "sd", "mtdblock", "pflash", "fda", "fdb":
		return KindDisk
	case "append", "serial", "parallel", "monitor", "cpu", "m", "smp", "display", "vga", "boot", "rtc", "qmp", "name",
		"uuid", "k", "L", "vnc", "D", "d", "pidfile", "watchdog", "g", "icount":
		return KindText
	case "drive", "device", "machine", "M", "accel", "net", "netdev", "nic", "chardev", "mon", "object", "global",
		"blockdev", "sandbox", "smbios", "fw_cfg", "audiodev", "tpmdev", "numa", "action", "add-fd", "spice":
		return KindList
	case "nographic", "enable-kvm", "no-reboot", "no-shutdown", "snapshot", "usb", "nodefaults", "no-acpi", "no-hpet",
		"S", "s", "daemonize", "no-user-config", "full-screen", "no-fd-bootchk", "win2k-hack":
		return KindFlag
	}
	return KindUnknown
}

// Parse reads one string of a device file or job, which may hold several words, quoted as for a shell. Its error is an
// *ArgumentError.
func Parse(s string, from Origin) ([]Option, error) {
	list, err := shell.Split(s)
	if err != nil {
		return nil, &ArgumentError{Source: string(from), Argument: s, Reason: err.Error()}
	}
	return options(list, from, s)
}

// options reads words as QEMU does: one dash or two, the argument in the next word.
func options(words []string, from Origin, source string) ([]Option, error) {
	var opts []Option
	for i := 0; i < len(words); i++ {
		w := words[i]
		name, dashed := strings.CutPrefix(w, "-")
		name = strings.TrimPrefix(name, "-")
		o := Option{Name: name, From: from, Source: source}
		switch {
		case !dashed || name == "":
			return nil, Refuse(o, fmt.Sprintf("%q is not an option", w))
		case o.Kind() == KindFlag:
		case o.Kind() != KindUnknown && i+1 == len(words):
			return nil, Refuse(o, fmt.Sprintf("-%s needs an argument", name))
		case o.Kind() != KindUnknown, i+1 < len(words) && !strings.HasPrefix(words[i+1], "-"):
			i++
			o.Value, o.HasValue = words[i], true
		}
		opts = append(opts, o)
	}
	return opts, nil
}

// ArgumentError is an argument that may not be used, or makes no sense. Who wrote it is at fault.
type ArgumentError struct {
	Source   string // "image_arg" for the job's, "device option" for the device file's
	Argument string // as written
	Index    int    // of the job's string it is in, counted from 0
	Reason   string
}

func (e *ArgumentError) Error() string {
	return fmt.Sprintf("%s %q: %s", e.Source, e.Argument, e.Reason)
}

// Refuse is the *ArgumentError of an option.
func Refuse(o Option, reason string) error {
	return &ArgumentError{Source: string(o.From), Argument: o.Source, Index: o.Index, Reason: reason}
}
