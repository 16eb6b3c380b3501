package qemu

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/vmhost/kvm"
)

// Command is what will be executed, decided but not started.
type Command struct {
	Argv    []string `json:"argv"` // with the images' paths; the process gets descriptors in their place
	Accel   Accel    `json:"accel"`
	Changes []string `json:"changes"` // what differs from what device file and job say, in words

	opts    []option
	formats formats // of the guest
}

// The names of what gantry adds to a guest.
const (
	consoleID  = "gantry-console"
	qmpID      = "gantry-qmp"
	namePrefix = "gantry-"
	serialID   = "gantry-serial"
	resultsID  = "gantry-results"
	sandbox    = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
)

var placeholder = regexp.MustCompile(`\{[A-Za-z0-9_.-]+\}`)

// builder makes a Command of options.
type builder struct {
	machine Machine
	trust   Trust
	network Network
	policy  policy
	images  map[string]string
	results bool
	opts    []option
	changes []string
}

// build goes from the words of device file and job to the options of the process.
func (b *builder) build(job []option, noKVM bool, probe func() kvm.Result, id string) (*Command, error) {
	device, err := deviceOptions(b.machine)
	if err != nil {
		return nil, err
	}
	b.opts = device
	for _, o := range job {
		o, err := b.substitute(o)
		if err != nil {
			return nil, err
		}
		if b.trust == Served {
			if err := b.policy.checkServed(o); err != nil {
				return nil, err
			}
		}
		b.opts = append(b.opts, o)
	}
	for i, o := range b.opts {
		b.opts[i] = b.disk(o)
	}
	if b.trust == Served {
		if err := checkOnce(b.opts, func(file string) string { return file }); err != nil {
			return nil, err
		}
	}
	b.restrict()
	b.detach()
	accel := decide(b.machine.Binary, b.opts, noKVM, probe)
	opts, changes := accelerate(b.machine.Binary, b.opts, accel)
	b.opts, b.changes = opts, append(b.changes, changes...)
	b.own(id)
	b.locate()
	c := &Command{Accel: accel, Changes: b.changes, opts: b.opts}
	c.Argv = render(b.machine.Binary, c.opts, func(o option) string { return o.file })
	return c, nil
}

// deviceOptions reads the device file's, joined as LAVA joins them: an option and its argument may be two strings.
func deviceOptions(m Machine) ([]option, error) {
	opts, err := parseArgument(strings.Join(slices.Concat(m.Options, m.Extra), " "), fromDevice)
	for i := range opts {
		opts[i].text = opts[i].String()
	}
	return opts, err
}

// parseArgument reads one string of a device file or job, which may hold several words.
func parseArgument(s string, from origin) ([]option, error) {
	words, err := split(s)
	if err != nil {
		return nil, &ArgumentError{Source: string(from), Argument: s, Reason: err.Error()}
	}
	return optionsOf(words, from, s)
}

// substitute puts the paths of images in for their names. It is done on parsed values, so that a path's characters mean
// nothing.
func (b *builder) substitute(o option) (option, error) {
	var missing string
	put := func(s string) string {
		return placeholder.ReplaceAllStringFunc(s, func(name string) string {
			p, ok := b.images[name[1:len(name)-1]]
			if ok {
				return p
			}
			if k := kindOf(o.name); k == path || k == disk || o.name == "drive" {
				missing = name
			}
			return name
		})
	}
	if kindOf(o.name) == list {
		l := parseProps(o.value)
		for i := range l {
			l[i].value = put(l[i].value)
		}
		o.value = l.String()
	} else {
		o.value = put(o.value)
	}
	if missing != "" {
		return o, refuse(o, fmt.Sprintf("there is no image %s", missing))
	}
	return o, nil
}

// locate marks the options that open a file.
func (b *builder) locate() {
	snapshot := b.has("snapshot")
	for i, o := range b.opts {
		b.opts[i].file = subject(o)
		b.opts[i].write = o.name == "drive" && !snapshot && !readOnly(parseProps(o.value))
	}
}

func readOnly(l props) bool {
	for _, p := range l {
		switch p.key {
		case "readonly", "read-only", "snapshot":
			if p.bare || p.value == "on" {
				return true
			}
		case "media":
			if p.value == "cdrom" {
				return true
			}
		}
	}
	return false
}

// render makes argv; where says by which name the process opens an option's file.
func render(binary string, opts []option, where func(option) string) []string {
	argv := []string{binary}
	for _, o := range opts {
		argv = append(argv, "-"+o.name)
		if o.file != "" {
			if to := where(o); kindOf(o.name) != list {
				o.value = to
			} else if to != o.file {
				l := parseProps(o.value)
				for i := range l {
					if l[i].key == "file" {
						l[i].value = to
					}
				}
				// QEMU's own lock goes with the last descriptor of a file, which an inherited one never is: it would
				// lock itself out when it opens the file anew.
				o.value = append(l, prop{key: "file.locking", value: "off"}).String()
			}
		}
		if o.has {
			argv = append(argv, o.value)
		}
	}
	return argv
}
