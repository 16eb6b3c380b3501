package qemu

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/vmhost/kvm"
	"github.com/gantry-ci/gantry/vmhost/qemuarg"
	"github.com/gantry-ci/gantry/vmhost/vm"
)

// command is what will be executed, decided but not started.
type command struct {
	vm.Execution
	argv []string // with the images' paths; the process gets descriptors in their place
	opts []option
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

// builder makes a command of options.
type builder struct {
	machine Machine
	trust   Trust
	network Network
	policy  policy
	images  images
	unknown bool // images may be unknown: nothing will be started
	results bool
	opts    []option
	changes []string
}

// build goes from the words of device file and job to the options of the process.
func (b *builder) build(job []option, noKVM bool, probe func() kvm.Result, id string) (*command, error) {
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
		if err := checkDisks(b.opts, func(file string) string { return file }); err != nil {
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
	c := &command{Execution: vm.Execution{Accel: accel, Changes: b.changes}, opts: b.opts}
	c.argv = render(b.machine.Binary, c.opts, func(o option) string { return o.File() })
	return c, nil
}

// deviceOptions reads the device file's, joined as LAVA joins them: an option and its argument may be two strings.
func deviceOptions(m Machine) ([]option, error) {
	opts, err := parse(strings.Join(slices.Concat(m.Options, m.Extra), " "), qemuarg.FromDevice)
	for i := range opts {
		opts[i].Source = opts[i].String()
	}
	return opts, err
}

// substitute puts the paths of images in for their names. It is done on parsed values, so that a path's characters mean
// nothing.
func (b *builder) substitute(o option) (option, error) {
	var missing string
	put := func(s string) string {
		return placeholder.ReplaceAllStringFunc(s, func(name string) string {
			p, ok := b.images[name[1:len(name)-1]]
			if p != "" {
				return p
			}
			ok = ok && b.unknown
			if k := o.Kind(); !ok && (k == qemuarg.KindPath || k == qemuarg.KindDisk || o.Name == "drive") {
				missing = name
			}
			return name
		})
	}
	if o.Kind() == qemuarg.KindList {
		l := o.Props()
		for i := range l {
			l[i].Value = put(l[i].Value)
		}
		o.Value = l.String()
	} else {
		o.Value = put(o.Value)
	}
	if missing != "" {
		return o, qemuarg.Refuse(o.Option, fmt.Sprintf("there is no image %s", missing))
	}
	return o, nil
}

// locate marks the options through which the guest may write to a file.
func (b *builder) locate() {
	snapshot := b.has("snapshot")
	for i, o := range b.opts {
		b.opts[i].write = o.Name == "drive" && !snapshot && !o.Props().ReadOnly()
	}
}

// render makes argv; where says by which name the process opens an option's file.
func render(binary string, opts []option, where func(option) string) []string {
	argv := []string{binary}
	for _, o := range opts {
		argv = append(argv, "-"+o.Name)
		if file := o.File(); file != "" {
			if to := where(o); o.Kind() != qemuarg.KindList {
				o.Value = to
			} else if to != file {
				l := o.Props()
				for i := range l {
					if l[i].Key == "file" {
						l[i].Value = to
					}
				}
				// QEMU's own lock goes with the last descriptor of a file, which an inherited one never is: it would
				// lock itself out when it opens the file anew.
				o.Value = append(l, qemuarg.Prop{Key: "file.locking", Value: "off"}).String()
			}
		}
		if o.HasValue {
			argv = append(argv, o.Value)
		}
	}
	return argv
}
