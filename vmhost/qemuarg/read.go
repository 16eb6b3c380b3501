package qemuarg

import (
	"fmt"
	"strconv"
	"strings"
)

// Machine is what options ask for, in fields. What a field's zero value means is for the back end to say: nobody asked.
type Machine struct {
	Type      string // -machine's: q35, virt
	Accel     string // kvm, tcg, or several with colons; kvm of -enable-kvm
	MemoryMiB int
	CPUs      int
	CPU       string // the model, with its features: max,+ssse3

	Kernel, Initrd, DTB, Append string // Append is the kernel's command line
	BIOS                        string

	Drives   []Drive
	Networks []Network
	Devices  []Device
	Serials  []string // by number: stdio, null, chardev:ID

	// Rest are the options, and those with properties, that have no field here: a back end that cannot hand them to QEMU
	// refuses them, by Refuse.
	Rest []Option
}

// Drive is a disk.
type Drive struct {
	File      string
	Format    string // raw, qcow2; "" when nobody said
	Interface string // virtio, ide, none, …; "" for the machine's own
	ID        string
	Media     string // disk, cdrom; "" for a disk
	ReadOnly  bool   // the file stays as it is
	Option    Option // as it was written
	More      Props  // that have no field
}

// Network is an end of the guest's networks: of -netdev, of -net, or of -nic, which is the guest's device as well.
type Network struct {
	Type   string // user, tap, nic, none, …
	ID     string
	Model  string // of the guest's device
	MAC    string
	Option Option
	More   Props
}

// Device is a device of the guest.
type Device struct {
	Driver string
	ID     string
	Option Option
	More   Props
}

// Read sorts options into fields. Its error is an *ArgumentError: a number that is none. Like QEMU it takes the last of
// what can be said once.
func Read(opts []Option) (Machine, error) {
	var m Machine
	for _, o := range opts {
		if err := m.read(o); err != nil {
			return Machine{}, err
		}
	}
	return m, nil
}

func (m *Machine) read(o Option) error {
	for name, field := range map[string]*string{
		"kernel": &m.Kernel, "initrd": &m.Initrd, "dtb": &m.DTB, "append": &m.Append, "bios": &m.BIOS, "cpu": &m.CPU,
	} {
		if o.Name == name {
			*field = o.Value
			return nil
		}
	}
	var err error
	switch o.Name {
	case "m":
		m.MemoryMiB, err = memory(o)
	case "smp":
		m.CPUs, err = processors(o)
	case "machine", "M":
		m.machine(o)
	case "accel":
		m.Accel, _ = o.Props().Explicit("accel").Get("accel")
	case "enable-kvm":
		m.Accel = "kvm"
	case "serial":
		m.Serials = append(m.Serials, o.Value)
	case "net", "netdev", "nic":
		m.Networks = append(m.Networks, network(o))
	case "device":
		m.Devices = append(m.Devices, device(o))
	default:
		if o.IsDisk() {
			m.Drives = append(m.Drives, drive(o))
		} else {
			m.Rest = append(m.Rest, o)
		}
	}
	return err
}

// extract moves properties into fields and returns those that have none.
func extract(l Props, fields map[string]*string) (more Props) {
	for _, p := range l {
		if field := fields[p.Key]; field != nil && !p.Bare {
			*field = p.Value
		} else {
			more = append(more, p)
		}
	}
	return more
}

// machine reads -machine; properties without a field go to Rest, as an option of their own.
func (m *Machine) machine(o Option) {
	more := extract(o.Props().Explicit("type"), map[string]*string{"type": &m.Type, "accel": &m.Accel})
	if len(more) > 0 {
		o.Value = more.String()
		m.Rest = append(m.Rest, o)
	}
}

func drive(o Option) Drive {
	d := Drive{Option: o}
	l := o.Props()
	if o.Kind() == KindDisk {
		l = append(Props{{Key: "file", Value: o.Value}}, LongForm(o.Name)...)
	}
	d.ReadOnly = l.ReadOnly()
	d.More = extract(l.Without("readonly", "read-only", "snapshot"), map[string]*string{
		"file": &d.File, "format": &d.Format, "if": &d.Interface, "id": &d.ID, "media": &d.Media,
	})
	return d
}

func network(o Option) Network {
	n := Network{Option: o}
	n.More = extract(o.Props().Explicit("type"), map[string]*string{
		"type": &n.Type, "id": &n.ID, "model": &n.Model, "mac": &n.MAC, "macaddr": &n.MAC,
	})
	return n
}

func device(o Option) Device {
	d := Device{Option: o}
	d.More = extract(o.Props().Explicit("driver"), map[string]*string{"driver": &d.Driver, "id": &d.ID})
	return d
}

// LongForm are the properties that QEMU's main function gives a disk's short form: -hda and the like. It is nil for any
// other option.
func LongForm(name string) Props {
	index := func(i, key, value string) Props { return Props{{Key: "index", Value: i}, {Key: key, Value: value}} }
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
		return Props{{Key: "if", Value: "sd"}}
	case "mtdblock":
		return Props{{Key: "if", Value: "mtd"}}
	case "pflash":
		return Props{{Key: "if", Value: "pflash"}}
	}
	return nil
}

// memory reads -m: MiB, or with QEMU's suffix.
func memory(o Option) (int, error) {
	value := o.Value
	if size, ok := o.Props().Explicit("size").Get("size"); ok {
		value = size
	}
	digits, kib := value, 1<<10
	for suffix, unit := range map[string]int{"K": 1, "M": 1 << 10, "G": 1 << 20, "T": 1 << 30} {
		if d, ok := strings.CutSuffix(strings.ToUpper(value), suffix); ok {
			digits, kib = d, unit
		}
	}
	const most = 1 << 30 // KiB: 1 TiB, so that no product overflows
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > most/kib {
		return 0, Refuse(o, fmt.Sprintf("%q is not an amount of memory", o.Value))
	}
	return n * kib >> 10, nil
}

// processors reads -smp: a number, or properties of which one is cpus.
func processors(o Option) (int, error) {
	value, ok := o.Props().Explicit("cpus").Get("cpus")
	n, err := strconv.Atoi(value)
	if !ok || err != nil || n < 1 {
		return 0, Refuse(o, fmt.Sprintf("%q is not a number of processors", o.Value))
	}
	return n, nil
}
