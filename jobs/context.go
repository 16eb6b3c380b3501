package jobs

import (
	"slices"
	"strconv"

	"github.com/gantry-ci/gantry/internal/schema"
)

// Context holds the variables that a job sets of the device's templates.
type Context struct {
	Arch, BootConsole, BootRoot, CPU, Machine, Memory, Model, Monitor, NetDevice, Serial, VGA string

	ExtraOptions []string // of the emulator; hostile in a served job
	NoKVM        bool
	NoNetwork    bool

	Values map[string]*schema.Node // every variable, those above included
	Places schema.Places
}

// contextVariables is LAVA's list of what a job may set.
func contextVariables() []string {
	return []string{
		"arch", "boot_console", "boot_root", "cpu", "extra_options", "guestfs_driveid", "guestfs_interface", "guestfs_size",
		"machine",
		"memory", "model", "monitor", "netdevice", "no_kvm", "no_network", "serial", "vga",

		"booti_dtb_addr", "booti_kernel_addr", "booti_ramdisk_addr", "bootm_dtb_addr", "bootm_kernel_addr",
		"bootm_ramdisk_addr",
		"bootz_dtb_addr", "bootz_kernel_addr", "bootz_ramdisk_addr",

		"boot_character_delay", "boot_retry", "bootloader_prompt", "console_device", "custom_kernel_args",
		"deploy_character_delay",
		"extra_kernel_args", "extra_nfsroot_args", "failure_retry", "kernel_loglevel", "kernel_start_message",
		"lava_test_results_dir",
		"menu_interrupt_prompt", "mustang_menu_list", "test_character_delay", "tftp_mac_address", "uboot_altbank",
		"uboot_extra_error_message", "uboot_needs_interrupt",
	}
}

// Fields declares the block.
func (c *Context) Fields(f *schema.Fields) {
	c.Values = map[string]*schema.Node{}
	f.Closed()
	f.Places(&c.Places)
	f.Rest(schema.OneOf(new(string), contextVariables()...), schema.Each(func(name string) schema.Type {
		return schema.Tested(contextValue(), func(n *schema.Node) *schema.Fault {
			c.set(name, n)
			return nil
		})
	}))
}

// contextValue is an integer, a string, or a list of them.
func contextValue() schema.Type {
	either := func(*struct{}) schema.Type {
		return schema.Either("an integer or a string", schema.Integer(new(int)), schema.Text(new(string)))
	}
	return schema.Either("an integer, a string, or a list of them",
		schema.Integer(new(int)), schema.Text(new(string)), schema.ListOf(new([]struct{}), either))
}

func (c *Context) set(name string, n *schema.Node) {
	c.Values[name] = n
	texts := map[string]*string{
		"arch": &c.Arch, "boot_console": &c.BootConsole, "boot_root": &c.BootRoot, "cpu": &c.CPU, "machine": &c.Machine,
		"memory": &c.Memory, "model": &c.Model, "monitor": &c.Monitor, "netdevice": &c.NetDevice, "serial": &c.Serial,
		"vga": &c.VGA,
	}
	switch name {
	case "extra_options":
		c.ExtraOptions = nil
		for _, x := range n.Items {
			c.ExtraOptions = append(c.ExtraOptions, x.Text)
		}
		if n.Kind != schema.List {
			c.ExtraOptions = []string{n.Text}
		}
	case "no_kvm":
		c.NoKVM = truthy(n)
	case "no_network":
		c.NoNetwork = truthy(n)
	default:
		if dst := texts[name]; dst != nil {
			*dst = n.Text
		}
	}
}

// truthy is what a template's if makes of a variable.
func truthy(n *schema.Node) bool {
	switch n.Kind {
	case schema.Bool:
		return n.Bool
	case schema.Int:
		return n.Int != 0 || n.Big != nil
	case schema.Float:
		return n.Float != 0
	case schema.List, schema.Map:
		return len(n.Items)+len(n.Entries) > 0
	case schema.Null:
		return false
	}
	return n.Text != ""
}

// Priority is 0 to 100; low, medium and high are LAVA's 0, 50 and 100.
type Priority int

// LAVA's names of priorities.
const (
	PriorityLow    Priority = 0
	PriorityMedium Priority = 50
	PriorityHigh   Priority = 100
)

func priority(p *Priority) schema.Type {
	*p = PriorityMedium
	var name string
	named := schema.Then(schema.OneOf(&name, "high", "medium", "low"), func() {
		*p = map[string]Priority{"high": PriorityHigh, "medium": PriorityMedium, "low": PriorityLow}[name]
	})
	return schema.Either("high, medium, low, or a number from 0 to 100", named, schema.Number(p, 0, 100))
}

// Visibility is who may see a job: public, personal, or some groups.
type Visibility struct {
	Name   string // public, personal or group
	Groups []string
}

// Fields declares the form with groups.
func (v *Visibility) Fields(f *schema.Fields) {
	f.Optional("group", schema.Then(schema.Texts(&v.Groups), func() { v.Name = "group" }), "The groups.")
}

func visibility(v *Visibility) schema.Type {
	return schema.Either("public, personal, or a mapping with group",
		schema.OneOf(&v.Name, "public"), schema.OneOf(&v.Name, "personal"), schema.Sub(v))
}

// Names lists the variables that the job sets, sorted.
func (c *Context) Names() []string {
	names := make([]string, 0, len(c.Values))
	for name := range c.Values {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// number is a constant or parameter that device files write as a number or as its text.
func number(n *schema.Node, otherwise int) int {
	if n == nil {
		return otherwise
	}
	if n.Kind == schema.Int && n.Big == nil {
		return int(n.Int)
	}
	if v, err := strconv.Atoi(n.Text); err == nil {
		return v
	}
	return otherwise
}
