package qemu

import (
	"encoding/json"
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

	opts []option
}

// The names of what gantry adds to a guest.
const (
	consoleID  = "gantry-console"
	qmpID      = "gantry-qmp"
	namePrefix = "gantry-"
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
			o = b.harden(o)
		}
		b.opts = append(b.opts, o)
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

// substitute puts the paths of images in for their names. It is done on parsed values, so that a path's characters mean nothing.
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

// harden makes a stranger's disk say its format, so that QEMU does not guess it from bytes the guest may write.
func (b *builder) harden(o option) option {
	before := o.String()
	switch o.name {
	case "drive":
		l := parseProps(o.value)
		if _, ok := l.get("file"); !ok {
			return o
		}
		if _, ok := l.get("format"); !ok {
			o.value = append(l, prop{key: "format", value: "raw"}).String()
		}
	case "hda", "hdb", "hdc", "hdd", "cdrom", "sd", "pflash":
		where := map[string][]prop{
			"hda": {{key: "index", value: "0"}, {key: "media", value: "disk"}}, "hdb": {{key: "index", value: "1"}, {key: "media", value: "disk"}},
			"hdc": {{key: "index", value: "2"}, {key: "media", value: "disk"}}, "hdd": {{key: "index", value: "3"}, {key: "media", value: "disk"}},
			"cdrom": {{key: "index", value: "2"}, {key: "media", value: "cdrom"}}, "sd": {{key: "index", value: "0"}, {key: "if", value: "sd"}},
			"pflash": {{key: "if", value: "pflash"}},
		}[o.name]
		o.name, o.value = "drive", append(props{{key: "file", value: o.value}, {key: "format", value: "raw"}}, where...).String()
	}
	if after := o.String(); after != before {
		b.changes = append(b.changes, "changed "+before+" to "+after)
	}
	return o
}

// restrict cuts the guest off from host and network, unless it may have them. QEMU's user network otherwise reaches
// whatever the host reaches, its loopback included. A tap or bridge of the device file is the operator's own network, and stays.
func (b *builder) restrict() {
	if b.network == NetworkOpen || b.network == NetworkDefault && b.trust == Operator {
		return
	}
	if !b.has("net", "netdev", "nic", "nodefaults") { // what QEMU does by itself, spelled out
		b.add("net", "nic")
		b.add("net", "user,restrict=on")
		b.changes = append(b.changes, "added -net nic -net user,restrict=on")
		return
	}
	for i, o := range b.opts {
		if o.name != "net" && o.name != "netdev" && o.name != "nic" {
			continue
		}
		if b.opts[i].value = restricted(o.value); b.opts[i].value != o.value {
			b.changes = append(b.changes, "changed "+o.String()+" to "+b.opts[i].String())
		}
	}
}

// restricted is a user network's definition made to reach nothing; any other is as it was. QEMU reads it as properties or as JSON.
func restricted(value string) string {
	if strings.HasPrefix(value, "{") {
		var def map[string]any
		if json.Unmarshal([]byte(value), &def) != nil || def["type"] != "user" {
			return value
		}
		def["restrict"] = true
		b, err := json.Marshal(def)
		if err != nil {
			return value // what was read can be written
		}
		return string(b)
	}
	l := parseProps(value)
	if kind, _ := l.explicit("type").get("type"); kind != "user" {
		return value
	}
	return append(l.without("restrict"), prop{key: "restrict", value: "on"}).String()
}

// detach takes the guest off the terminal: its console becomes a stream of our own, and nothing can type to the
// monitor through it.
func (b *builder) detach() {
	var kept []option
	console := ""
	for _, o := range b.opts {
		before := o.String()
		switch o.name {
		case "monitor":
			if o.value == "none" || strings.Contains(o.value, "stdio") {
				continue
			}
		case "daemonize", "pidfile", "name", "sandbox":
			b.changes = append(b.changes, "removed "+before)
			continue
		case "serial":
			if o.value == "stdio" || o.value == "mon:stdio" {
				console, o.value = consoleID, "chardev:"+consoleID
			}
		case "chardev":
			l := parseProps(o.value)
			if l[0].bare && l[0].key == "stdio" {
				id, _ := l.get("id")
				b.changes = append(b.changes, "changed "+before+" to gantry's own stream")
				console = id
				continue
			}
		}
		kept = append(kept, o)
	}
	b.opts = kept
	if console == "" {
		console = consoleID
		b.add("serial", "chardev:"+consoleID)
	}
	b.opts = slices.DeleteFunc(b.opts, func(o option) bool { // a monitor on what was the terminal
		id, _ := parseProps(o.value).explicit("chardev").get("chardev")
		return o.name == "mon" && id == console
	})
	b.opts = append(b.opts, option{name: "chardev", value: "socket,id=" + console, has: true, from: fromDevice, sock: consoleSocket})
}

func (b *builder) has(names ...string) bool {
	return slices.ContainsFunc(b.opts, func(o option) bool { return slices.Contains(names, o.name) })
}

func (b *builder) add(name, value string) {
	b.opts = append(b.opts, option{name: name, value: value, has: value != "", from: fromDevice})
}

// own adds what makes the guest gantry's: control, identity, confinement.
func (b *builder) own(id string) {
	if !b.has("nographic", "display", "vnc", "spice") {
		b.add("display", "none")
	}
	if !b.has("monitor") {
		b.add("monitor", "none")
	}
	b.opts = append(b.opts, option{name: "chardev", value: "socket,id=" + qmpID, has: true, from: fromDevice, sock: qmpSocket})
	b.add("mon", "chardev="+qmpID+",mode=control")
	b.add("name", namePrefix+id)
	if !b.machine.NoSandbox {
		b.add("sandbox", sandbox)
	}
}

// locate marks the options that open a file.
func (b *builder) locate() {
	snapshot := b.has("snapshot")
	for i, o := range b.opts {
		switch k := kindOf(o.name); {
		case k == path:
			b.opts[i].file = o.value
		case k == disk:
			b.opts[i].file, b.opts[i].write = o.value, o.name != "cdrom" && !snapshot
		case o.name == "drive":
			l := parseProps(o.value)
			b.opts[i].file, _ = l.get("file")
			b.opts[i].write = !snapshot && !readOnly(l)
		}
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
				o.value = l.String()
			}
		}
		if o.has {
			argv = append(argv, o.value)
		}
	}
	return argv
}
