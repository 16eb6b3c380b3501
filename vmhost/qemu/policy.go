package qemu

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gantry-ci/gantry/vmhost/qemuarg"
)

// Trust says how much the author of the job's arguments may do.
type Trust int

// The trusts. The zero value is the careful one.
const (
	Served   Trust = iota // a stranger's job: an allow-list, and only the run's own images
	Operator              // who runs gantry on this machine: anything
)

// Bounds of what a served job may ask for.
const (
	maxArgument = 4096     // bytes of one option's argument; Linux reads 2 KiB of command line on x86
	maxArgs     = 64 << 10 // bytes of all of a job's arguments
	maxOptions  = 256

	maxTranslationMiB = 1024 // QEMU's own default on 64-bit hosts
)

var (
	plain      = regexp.MustCompile(`^[A-Za-z0-9._:+-]{0,128}$`)
	plainModel = regexp.MustCompile(`^[A-Za-z0-9._+-]{1,64}$`)
	cpuModel   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}(,[+-]?[A-Za-z0-9._-]{1,64}(=(on|off))?)*$`)
	rtcValue   = regexp.MustCompile(`^[A-Za-z0-9=,:-]{1,64}$`)
	deviceName = regexp.MustCompile(
		`^(virtio-(blk|net|rng|scsi|serial|balloon|gpu|keyboard|mouse|tablet|iommu|mem)(-pci|-device|-ccw)?` +
			`(-non-transitional|-transitional)?` +
			`|scsi-(hd|cd)|ide-(hd|cd)|nvme|nvme-ns|sd-card|sdhci-pci` +
			`|usb-(storage|kbd|mouse|tablet|hub)|usb-ehci|ich9-usb-ehci1|nec-usb-xhci|qemu-xhci|piix3-usb-uhci` +
			`|e1000|e1000e|rtl8139|ne2k_pci|pcnet|vmxnet3|ich9-ahci|ahci|lsi|megasas|pvpanic|pvpanic-pci|i6300esb` +
			`|pcie-root-port|pci-bridge|intel-iommu|usb-net)$`,
	)
)

// keys each option of a served job may have. A key that takes a file is not here, but for drive's own, which must name
// an image of the run.
func allowedKeys(name string) []string {
	switch name {
	case "drive":
		return []string{
			"file", "format", "if", "id", "index", "media", "cache", "discard", "detect-zeroes", "snapshot",
			"readonly", "read-only", "bus", "unit", "serial", "werror", "rerror", "aio",
		}
	case "device":
		return []string{
			"driver", "drive", "id", "serial", "bus", "addr", "mac", "netdev", "bootindex", "scsi-id", "lun", "channel", "port",
			"slot", "chassis", "disable-legacy", "disable-modern", "logical_block_size", "physical_block_size",
			"num-queues", "num_queues", "write-cache", "share-rw", "removable", "nsid", "max-bytes", "period", "multifunction",
			"p2", "p3", "masterbus", "firstport",
		}
	case "machine":
		return []string{
			"type", "accel", "graphics", "gic-version", "virtualization", "secure", "highmem", "usb", "smm", "hpet", "pit",
			"pic", "rtc",
			"pcie", "acpi", "its", "mte", "ras", "iommu", "kernel-irqchip", "kernel_irqchip", "vmport", "sata", "smbus",
		}
	case "accel":
		return []string{"accel", "thread", "tb-size"}
	case "net":
		return []string{"type", "model", "macaddr", "id", "name", "netdev"}
	case "netdev", "nic":
		return []string{"type", "id", "model", "mac", "macaddr", "restrict"}
	case "boot":
		return []string{"order", "once", "menu", "strict"}
	}
	return nil
}

// checkServed says why a served job may not use o.
func (p policy) checkServed(o option) error {
	if len(o.Value) > maxArgument {
		return qemuarg.Refuse(o.Option, fmt.Sprintf("the argument of -%s is longer than %d bytes", o.Name, maxArgument))
	}
	if strings.ContainsRune(o.Value, 0) {
		return qemuarg.Refuse(o.Option, "it contains a zero byte")
	}
	switch o.Name {
	case "append", "nographic", "no-reboot", "snapshot", "usb", "enable-kvm", "no-acpi", "no-hpet":
		return nil
	case "kernel", "initrd", "dtb", "bios", "hda", "hdb", "hdc", "hdd", "cdrom", "sd", "pflash":
		return p.mustBeImage(o, o.Value)
	case "drive", "device", "machine", "M", "accel", "net", "netdev", "nic", "boot":
		return p.checkList(o)
	case "m":
		return atMost(o, "MiB of memory", o.Value, p.limits.MemoryMiB)
	case "smp":
		return atMost(o, "processors", o.Value, p.limits.CPUs)
	case "cpu":
		return mustMatch(o, cpuModel)
	case "rtc":
		return mustMatch(o, rtcValue)
	case "serial":
		return oneOf(o, "null", "none", "stdio", "mon:stdio")
	case "parallel":
		return oneOf(o, "null", "none")
	case "monitor", "display":
		return oneOf(o, "none")
	case "vga":
		return oneOf(o, "none", "std", "virtio", "cirrus")
	}
	return qemuarg.Refuse(o.Option, fmt.Sprintf("-%s is not allowed in a served job", o.Name))
}

// checkList checks a list of properties: every key known and given once, every value harmless.
func (p policy) checkList(o option) error {
	name := listName(o.Name)
	l := o.Props().Explicit(impliedKey(name))
	keys, seen := allowedKeys(name), map[string]bool{}
	for _, pr := range l {
		switch {
		case !slices.Contains(keys, pr.Key):
			return qemuarg.Refuse(o.Option, fmt.Sprintf("%q of -%s is not allowed in a served job", pr.Key, o.Name))
		case seen[pr.Key]:
			return qemuarg.Refuse(o.Option, fmt.Sprintf("%q of -%s is given twice", pr.Key, o.Name))
		case pr.Key == "file":
			if err := p.mustBeImage(o, pr.Value); err != nil {
				return err
			}
		case !plain.MatchString(pr.Value):
			return qemuarg.Refuse(
				o.Option, fmt.Sprintf("%q is not allowed as %q of -%s in a served job", pr.Value, pr.Key, o.Name),
			)
		}
		seen[pr.Key] = true
	}
	return checkSubject(o, name, l)
}

func listName(name string) string {
	if name == "M" {
		return "machine"
	}
	return name
}

// impliedKey is the key of a first property that has none.
func impliedKey(name string) string {
	switch name {
	case "device":
		return "driver"
	case "accel":
		return "accel"
	case "boot":
		return "order"
	case "drive":
		return ""
	}
	return "type"
}

// checkSubject checks what a list is about: the device's model, the drive's format, the kind of network.
func checkSubject(o option, name string, l qemuarg.Props) error {
	for _, c := range []struct {
		list, key string
		needed    bool
		good      func(string) bool
	}{
		{"device", "driver", true, deviceName.MatchString},
		{"drive", "format", false, func(s string) bool { return s == "raw" || s == "qcow2" }},
		{"drive", "aio", false, func(s string) bool { return s == "threads" }},
		{"machine", "type", false, plainModel.MatchString},
		{"machine", "accel", false, accelerator},
		{"accel", "accel", true, accelerator},
		{"net", "type", true, func(s string) bool { return s == "user" || s == "none" || s == "nic" }},
		{"netdev", "type", true, func(s string) bool { return s == "user" }},
		{"nic", "type", true, func(s string) bool { return s == "user" || s == "none" }},
	} {
		value, ok := l.Get(c.key)
		if c.list == name && (ok || c.needed) && !c.good(value) {
			return qemuarg.Refuse(o.Option, fmt.Sprintf("%s %q of -%s is not allowed in a served job", c.key, value, o.Name))
		}
	}
	if size, ok := l.Get("tb-size"); ok {
		return atMost(o, "MiB of translation cache", size, maxTranslationMiB)
	}
	return nil
}

func accelerator(s string) bool {
	for a := range strings.SplitSeq(s, ":") {
		if a != "kvm" && a != "tcg" {
			return false
		}
	}
	return true
}

func (p policy) mustBeImage(o option, value string) error {
	if !p.isImage(value) {
		return qemuarg.Refuse(o.Option, fmt.Sprintf("%q of -%s is not an image of this run", value, o.Name))
	}
	return nil
}

func mustMatch(o option, re *regexp.Regexp) error {
	if !re.MatchString(o.Value) {
		return qemuarg.Refuse(o.Option, fmt.Sprintf("%q is not allowed as argument of -%s in a served job", o.Value, o.Name))
	}
	return nil
}

func oneOf(o option, values ...string) error {
	if !slices.Contains(values, o.Value) {
		return qemuarg.Refuse(
			o.Option, fmt.Sprintf("-%s %s is not allowed in a served job, only %s", o.Name, o.Value, strings.Join(values, ", ")),
		)
	}
	return nil
}

// atMost reads a number with QEMU's suffix, MiB being the unit of -m, and holds it below most.
func atMost(o option, unit, value string, most int) error {
	digits, scale := value, 1
	switch {
	case strings.HasSuffix(value, "G"), strings.HasSuffix(value, "g"):
		digits, scale = value[:len(value)-1], 1024
	case strings.HasSuffix(value, "M"), strings.HasSuffix(value, "m"):
		digits = value[:len(value)-1]
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || strings.ContainsAny(digits, "+-") || o.Name == "smp" && digits != value {
		return qemuarg.Refuse(o.Option, fmt.Sprintf("%q is not allowed as argument of -%s in a served job", value, o.Name))
	}
	if n > most || n*scale > most {
		return qemuarg.Refuse(o.Option, fmt.Sprintf("-%s %s: a served job may have at most %d %s", o.Name, value, most, unit))
	}
	return nil
}

// policy is what checks need to know about the run.
type policy struct {
	limits  Limits
	isImage func(string) bool
}
