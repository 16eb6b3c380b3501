package qemu

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/vmhost/qemuarg"
	"github.com/gantry-ci/gantry/vmhost/vm"
)

// disk writes a disk's short form in full, and makes a stranger's disk say its format, so that QEMU does not guess it
// from bytes the guest may write.
func (b *builder) disk(o option) option {
	before := o.String()
	if long := qemuarg.LongForm(o.Name); long != nil {
		o.Name, o.Value = "drive", append(qemuarg.Props{{Key: "file", Value: o.Value}}, long...).String()
	}
	if o.Name == "drive" && o.From == qemuarg.FromJob && b.trust == Served {
		l := o.Props()
		_, file := l.Get("file")
		if _, ok := l.Get("format"); file && !ok {
			o.Value = append(l, qemuarg.Prop{Key: "format", Value: "raw"}).String()
		}
	}
	if after := o.String(); after != before {
		b.changes = append(b.changes, "changed "+before+" to "+after)
	}
	return o
}

// restrict cuts the guest off from host and network, unless it may have them. QEMU's user network otherwise reaches
// whatever the host reaches, its loopback included. A tap or bridge of the device file is the operator's own network,
// and stays.
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
		if o.Name != "net" && o.Name != "netdev" && o.Name != "nic" {
			continue
		}
		if b.opts[i].Value = restricted(o.Value); b.opts[i].Value != o.Value {
			b.changes = append(b.changes, "changed "+o.String()+" to "+b.opts[i].String())
		}
	}
}

// restricted is a user network's definition made to reach nothing; any other is as it was. QEMU reads it as properties
// or as JSON.
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
	l := qemuarg.ParseProps(value)
	if kind, _ := l.Explicit("type").Get("type"); kind != "user" {
		return value
	}
	return append(l.Without("restrict"), qemuarg.Prop{Key: "restrict", Value: "on"}).String()
}

// detach takes the guest off the terminal: its console becomes a stream of our own, and nothing can type to the
// monitor through it.
func (b *builder) detach() {
	var kept []option
	console := ""
	for _, o := range b.opts {
		before := o.String()
		switch o.Name {
		case "monitor":
			if o.Value == "none" || strings.Contains(o.Value, "stdio") {
				continue
			}
		case "daemonize", "pidfile", "name", "sandbox":
			b.changes = append(b.changes, "removed "+before)
			continue
		case "serial":
			if o.Value == "stdio" || o.Value == "mon:stdio" {
				console, o.Value = consoleID, "chardev:"+consoleID
			}
		case "chardev":
			l := o.Props()
			if l[0].Bare && l[0].Key == "stdio" {
				id, _ := l.Get("id")
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
		id, _ := o.Props().Explicit("chardev").Get("chardev")
		return o.Name == "mon" && id == console
	})
	b.opts = append(b.opts, inherited(console, consoleSocket))
}

func (b *builder) has(names ...string) bool {
	return slices.ContainsFunc(b.opts, func(o option) bool { return slices.Contains(names, o.Name) })
}

func (b *builder) add(name, value string) {
	b.opts = append(b.opts, made(name, value))
}

// own adds what makes the guest gantry's: control, identity, confinement.
func (b *builder) own(id string) {
	if !b.has("nographic", "display", "vnc", "spice") {
		b.add("display", "none")
	}
	if !b.has("monitor") {
		b.add("monitor", "none")
	}
	b.opts = append(b.opts, inherited(qmpID, qmpSocket))
	b.add("mon", "chardev="+qmpID+",mode=control")
	if b.results {
		b.port()
	}
	b.add("name", namePrefix+id)
	if !b.machine.NoSandbox {
		b.add("sandbox", sandbox)
	}
}

// port adds the results port, on a bus of its own, so that it never takes a number from the job's ports.
func (b *builder) port() {
	b.add("device", "virtio-serial,id="+serialID+",max_ports=2") // port 0 is kept for a console
	b.opts = append(b.opts, inherited(resultsID, resultsSocket))
	b.add("device", "virtserialport,bus="+serialID+".0,nr=1,chardev="+resultsID+",name="+vm.ResultsPort)
	b.changes = append(b.changes, "added a virtio-serial port for results: the device file asks for it")
}
