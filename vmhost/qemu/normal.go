package qemu

import (
	"encoding/json"
	"slices"
	"strings"
)

// disk writes a disk's short form in full, and makes a stranger's disk say its format, so that QEMU does not guess it
// from bytes the guest may write.
func (b *builder) disk(o option) option {
	before := o.String()
	if long := longForm(o.name); long != nil {
		o.name, o.value = "drive", append(props{{key: "file", value: o.value}}, long...).String()
	}
	if o.name == "drive" && o.from == fromJob && b.trust == Served {
		l := parseProps(o.value)
		_, file := l.get("file")
		if _, ok := l.get("format"); file && !ok {
			o.value = append(l, prop{key: "format", value: "raw"}).String()
		}
	}
	if after := o.String(); after != before {
		b.changes = append(b.changes, "changed "+before+" to "+after)
	}
	return o
}

// longForm is what QEMU makes of a short form, from its main function.
func longForm(name string) props {
	index := func(i, key, value string) props { return props{{key: "index", value: i}, {key: key, value: value}} }
	switch name {
	case "hda":
		return index("0", "media", "disk")
	case "hdb":
		return index("1", "media", "disk")
	case "hdc":
		return index("2", "media", "disk")
	case "hdd":
		return index("3", "media", "disk")
	case "cdrom":
		return index("2", "media", "cdrom")
	case "fda":
		return index("0", "if", "floppy")
	case "fdb":
		return index("1", "if", "floppy")
	case "sd":
		return props{{key: "if", value: "sd"}}
	case "mtdblock":
		return props{{key: "if", value: "mtd"}}
	case "pflash":
		return props{{key: "if", value: "pflash"}}
	}
	return nil
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
		if o.name != "net" && o.name != "netdev" && o.name != "nic" {
			continue
		}
		if b.opts[i].value = restricted(o.value); b.opts[i].value != o.value {
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
	b.opts = append(b.opts, option{
		name: "chardev", value: "socket,id=" + console, has: true, from: fromDevice, sock: consoleSocket,
	})
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
	b.opts = append(b.opts, option{
		name: "chardev", value: "socket,id=" + qmpID, has: true, from: fromDevice, sock: qmpSocket,
	})
	b.add("mon", "chardev="+qmpID+",mode=control")
	if b.results {
		b.port()
	}
	b.add("name", namePrefix+id)
	if !b.machine.NoSandbox {
		b.add("sandbox", sandbox)
	}
}

// ResultsPort is the name of the results port in the guest.
const ResultsPort = "gantry.results"

// port adds the results port, on a bus of its own, so that it never takes a number from the job's ports.
func (b *builder) port() {
	b.add("device", "virtio-serial,id="+serialID+",max_ports=2") // port 0 is kept for a console
	b.opts = append(b.opts, option{
		name: "chardev", value: "socket,id=" + resultsID, has: true, from: fromDevice, sock: resultsSocket,
	})
	b.add("device", "virtserialport,bus="+serialID+".0,nr=1,chardev="+resultsID+",name="+ResultsPort)
	b.changes = append(b.changes, "added a virtio-serial port for results: the device file asks for it")
}
