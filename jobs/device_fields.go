package jobs

import (
	"github.com/gantry-ci/gantry/internal/schema"
)

// ParseDevice reads a device file, LAVA's rendered one or gantry's short form; which of them it is, its keys say. The
// device is nil when there are errors.
func ParseDevice(src []byte) (*Device, *schema.Report) {
	n, r := schema.Parse(src, schema.YAML11)
	if n == nil {
		return nil, r
	}
	d := &Device{Source: n, Short: isShort(n)}
	if d.Short {
		schema.Decode(n, "", shortDevice{d}, schema.Strict, r)
	} else {
		schema.Decode(n, "", lavaDevice{d}, schema.Lenient, r)
	}
	if r.Valid() {
		d.applyDefaults()
		d.checkOwnGuest(r)
	}
	r.Place(src)
	if !r.Valid() {
		return nil, r
	}
	return d, r
}

// DeviceForms are the two forms of device files, for their description.
func DeviceForms() []schema.Object {
	return []schema.Object{lavaDevice{new(Device)}, shortDevice{new(Device)}}
}

// isShort recognizes gantry's form by the keys that only it has.
func isShort(n *schema.Node) bool {
	for _, key := range []string{"constants", "actions", "devicetype", "hostname", "parameters"} {
		if n.Get(key) != nil {
			return false
		}
	}
	for _, key := range []string{"name", "type", "power", "console", "storage", "usb", "boot", "trust"} {
		if n.Get(key) != nil {
			return true
		}
	}
	return false
}

// applyDefaults fills in what LAVA's templates give every device.
func (d *Device) applyDefaults() {
	if n := d.Boot["qemu"]; n == nil || n.Kind != schema.Map {
		d.Qemu = nil
	}
	c := &d.Constants
	if d.Results == "" {
		d.Results, d.ResultsSSH = c.Results, c.ResultsSSH
	}
	for _, x := range []struct {
		dst     *string
		initial string
	}{
		{&c.TestShell, "/bin/sh"},
		{&c.TestResultsDir, "/lava-%s"},
		{&c.DefaultShellPrompt, "lava-test: # "},
		{&c.KernelStartMessage, "Linux version [0-9]"},
		{&c.ShutdownMessage, "The system is going down for reboot NOW"},
	} {
		if *x.dst == "" {
			*x.dst = x.initial
		}
	}
	c.FailureRetry, c.BootRetry = max(1, c.FailureRetry), max(1, c.BootRetry)
}

// lavaDevice is LAVA's rendered device file.
type lavaDevice struct{ *Device }

// Fields declares the file.
func (d lavaDevice) Fields(f *schema.Fields) {
	f.Spelled()
	f.Optional("hostname", schema.Text(&d.Name), "The device's name.")
	f.Optional("devicetype", schema.Text(&d.Type), "The device's type.")
	f.Optional("character_delays", schema.Sub(&d.Delays), "Pauses between typed characters, in milliseconds.")
	f.Optional("commands", schema.Sub(&d.Commands), "Commands of the lab's host.")
	f.Required("constants", constants(&d.Constants), "Strings and numbers that methods use.")
	for _, key := range []string{
		"adb_serial_number", "fastboot_serial_number", "board_id", "usb_filesystem_label", "usb_serial_driver",
	} {
		f.Optional(key, schema.Text(new(string)), "How the board is known on USB.")
	}
	f.Optional("usb_vendor_id", schema.Limited(new(string), 4, 4), "USB vendor, four digits.")
	f.Optional("usb_product_id", schema.Limited(new(string), 4, 4), "USB product, four digits.")
	f.Optional("usb_sleep", schema.Integer(new(int)), "Seconds to wait for USB.")
	f.Optional("fastboot_options", schema.Texts(new([]string)), "Options of fastboot.")
	f.Optional("fastboot_via_uboot", schema.Flag(new(bool)), "U-Boot has to start fastboot.")
	f.Optional("fastboot_auto_detection", schema.Flag(new(bool)), "Find the serial number by asking fastboot.")
	f.Optional("flash_cmds_order", schema.Texts(new([]string)), "The order of partitions.")
	for _, key := range []string{"device_info", "static_info", "storage_info"} {
		f.Optional(key, schema.ListOf(new([]struct{}), func(*struct{}) schema.Type {
			return schema.Mapping(nil)
		}), "Devices that belong to the board.")
	}
	f.Optional("environment", schema.Mapping(nil), "Environment of tests.")
	f.Required(
		"parameters", schema.Keeping(&d.Parameters, schema.Sub(deviceParameters{})), "Addresses, media and interfaces.",
	)
	f.Required("actions", schema.Sub(deviceActions{d.Device}), "The methods that the device has.")
	f.Required("timeouts", schema.Sub(&d.Timeouts), "Defaults by name of action.")
	f.Optional("available_architectures", schema.Texts(new([]string)), "What the device can execute.")
	f.Check(checkPrimary)
}

// checkPrimary refuses power commands of a host that jobs only log in to.
func checkPrimary(n *schema.Node) *schema.Fault {
	if host := n.Get("actions").Get("deploy").Get("methods").Get("ssh").Get("host"); host == nil || !truthy(host) {
		return nil
	}
	for _, key := range []string{"power_off", "power_on", "hard_reset"} {
		if c := n.Get("commands").Get(key); c != nil {
			return &schema.Fault{
				Path: "commands." + key, At: c, Message: "a device that is reached by ssh has no power commands", Found: key,
			}
		}
	}
	return nil
}

// Fields declares the block.
func (c *CharacterDelays) Fields(f *schema.Fields) {
	f.Spelled()
	f.Optional("deploy", schema.Integer(&c.Deploy), "While deploying.")
	f.Optional("boot", schema.Integer(&c.Boot), "In the boot loader.")
	f.Optional("test", schema.Integer(&c.Test), "In the shell.")
}

// Fields declares the block.
func (t *DeviceTimeouts) Fields(f *schema.Fields) {
	f.Spelled()
	f.Required("actions", schema.MapOf(&t.Actions, timeout), "By the name of the action.")
	f.Required(
		"connections", schema.MapOf(&t.Connections, timeout), "How long to wait for each answer, by the name of the action.",
	)
}

// Fields declares the block.
func (c *DeviceCommands) Fields(f *schema.Fields) {
	f.Spelled()
	f.Optional("connect", schema.Text(&c.Connect), "Opens the console.")
	f.Optional("connections", schema.MapOf(&c.Connections, func(v *DeviceConnection) schema.Type {
		return schema.Sub(v)
	}), "Open the consoles, by name.")
	f.Optional("hard_reset", schema.TextOrTexts(&c.HardReset), "Cuts power and gives it back.")
	f.Optional("soft_reboot", schema.TextOrTexts(&c.SoftReboot), "Reboots from within.")
	f.Optional("power_off", schema.TextOrTexts(&c.PowerOff), "Cuts power.")
	f.Optional("power_on", schema.TextOrTexts(&c.PowerOn), "Gives power.")
	f.Optional("pre_power_command", schema.TextOrTexts(&c.PrePower), "Runs before power.")
	f.Optional("pre_os_command", schema.TextOrTexts(&c.PreOS), "Runs before the system starts.")
	f.Optional("recovery_mode", schema.TextOrTexts(&c.RecoveryMode), "Puts the board into recovery mode.")
	f.Optional("recovery_exit", schema.TextOrTexts(&c.RecoveryExit), "Takes the board out of recovery mode.")
	f.Optional("users", schema.MapOf(&c.Users, func(v *UserCommand) schema.Type {
		return schema.Sub(v)
	}), "Commands that jobs may ask for.")
}

// Fields declares one connection.
func (c *DeviceConnection) Fields(f *schema.Fields) {
	f.Spelled()
	f.Required("connect", schema.Text(&c.Connect), "Opens the console.")
	f.Optional("tags", schema.Texts(&c.Tags), "primary, telnet, …")
}

// Fields declares one command.
func (c *UserCommand) Fields(f *schema.Fields) {
	f.Spelled()
	f.Required("do", schema.Text(&c.Do), "What runs.")
	f.Optional("undo", schema.Text(&c.Undo), "What takes it back.")
}

// deviceParameters are only checked; methods read them from the node.
type deviceParameters struct{}

func (deviceParameters) Fields(f *schema.Fields) {
	f.Spelled()
	f.Optional("interfaces", schema.Mapping(nil), "Network interfaces.")
	f.Optional("media", schema.Sub(deviceMedia{}), "SATA, SD and USB media.")
	for _, key := range []string{"image", "booti", "uimage", "bootm", "zimage", "bootz"} {
		f.Optional(key, schema.Sub(loadAddresses{}), "Load addresses.")
	}
	f.Optional("load_address", schema.Text(new(string)), "Load address.")
	f.Optional("pass", schema.Exactly(), "Nothing.")
}

type loadAddresses struct{}

func (loadAddresses) Fields(f *schema.Fields) {
	f.Spelled()
	f.Required("kernel", schema.Text(new(string)), "Of the kernel.")
	f.Required("ramdisk", schema.Text(new(string)), "Of the ramdisk.")
	f.Required("dtb", schema.Text(new(string)), "Of the device tree.")
}

func (deviceTest) Fields(f *schema.Fields) {
	f.Spelled()
	f.Required("methods", schema.Mapping(nil), "By name.")
}
