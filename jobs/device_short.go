package jobs

import (
	"regexp"

	"github.com/gantry-ci/gantry/internal/schema"
)

// shortDevice is gantry's short form of a device file.
type shortDevice struct{ *Device }

var deviceNameRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// Fields declares the file.
func (d shortDevice) Fields(f *schema.Fields) {
	f.Required(
		"name", schema.Matching(&d.Name, deviceNameRE, "a name of up to 100 letters, digits, ., _ and -"),
		"What the target is called; unique in the lab.",
	)
	f.Required(
		"type", schema.Matching(&d.Type, deviceNameRE, "a name of up to 100 letters, digits, ., _ and -"),
		"What jobs ask for as device_type.",
	)
	f.Optional("tags", schema.Texts(&d.Tags), "What else jobs may ask for.")
	f.Optional("trust", schema.Text(&d.Trust), "The least trust a run must have.")
	f.Optional("power", driver(&d.Power), "How power is switched.")
	f.Optional("console", drivers(&d.Console), "The consoles; the first is where jobs log in.")
	f.Optional("storage", drivers(&d.Storage), "Storage that can be switched between board and host.")
	f.Optional("usb", drivers(&d.USB), "USB devices that belong to the target.")
	f.Optional("boot", schema.Also(schema.Sub(shortBoot(d)), schema.Nodes(&d.Boot)), "The boot methods it has, by name.")
	f.Optional(
		"results", resultsWay(&d.Results, &d.ResultsSSH),
		"How results are sent beside the console; the constant gantry-results in LAVA's device file.",
	)
	f.Optional("timeouts", schema.Sub(shortTimeouts(d)), "Defaults by name of action.")
	f.Optional("constants", constants(&d.Constants), "As in LAVA's device file.")
	f.Optional("character_delays", schema.Sub(&d.Delays), "Pauses between typed characters, in milliseconds.")
}

// driver is a section that names its driver; the rest is the driver's to read.
func driver(dst **schema.Node) schema.Type { return schema.Keeping(dst, schema.Sub(driverSection{})) }

func drivers(dst *[]*schema.Node) schema.Type { return schema.ListOf(dst, driver) }

type driverSection struct{}

func (driverSection) Fields(f *schema.Fields) {
	f.Open()
	f.Required("driver", schema.Limited(new(string), 1, 100), "The driver's name.")
}

type shortBoot struct{ *Device }

func (d shortBoot) Fields(f *schema.Fields) {
	f.Optional("qemu", schema.Keeping(&d.qemu().Node, schema.Sub(d.qemu())), "QEMU.")
	f.Open()
}

type shortTimeouts struct{ *Device }

func (d shortTimeouts) Fields(f *schema.Fields) {
	f.Optional("actions", schema.MapOf(&d.Timeouts.Actions, timeout), "By the name of the action.")
	f.Optional(
		"connections", schema.MapOf(&d.Timeouts.Connections, timeout),
		"How long to wait for each answer, by the name of the action.",
	)
}
