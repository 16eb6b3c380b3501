package jobs

import (
	"github.com/gantry-ci/gantry/internal/schema"
)

// section is what a method has in a device file.
func section() schema.Type {
	list := schema.ListOf(new([]struct{}), func(*struct{}) schema.Type { return schema.Anything(nil) })
	return schema.Either("a mapping, a list, or nothing", schema.Mapping(nil), list, schema.Exactly())
}

// sections are what methods have, by name.
func sections(dst *map[string]*schema.Node) schema.Type {
	each := schema.MapOf(new(map[string]struct{}), func(*struct{}) schema.Type { return section() })
	return schema.Also(each, schema.Nodes(dst))
}

type deviceActions struct{ *Device }

func (d deviceActions) Fields(f *schema.Fields) {
	f.Spelled()
	f.Required("deploy", schema.Sub(deviceDeploy{d.Device}), "How it deploys.")
	f.Required("boot", schema.Sub(deviceBoot{d.Device}), "How it boots.")
	f.Optional("test", schema.Sub(deviceTest{}), "How it tests.")
}

type deviceDeploy struct{ *Device }

func (d deviceDeploy) Fields(f *schema.Fields) {
	f.Spelled()
	f.Required("methods", sections(&d.Deploy), "By name.")
	f.Optional("connections", schema.Either("a mapping, or nothing", schema.Mapping(nil), schema.Exactly()), "By name.")
	f.Optional("parameters", schema.Mapping(nil), "Of all methods.")
}

type deviceBoot struct{ *Device }

func (d deviceBoot) Fields(f *schema.Fields) {
	f.Spelled()
	f.Required("connections", sections(&d.Connections), "By name.")
	f.Required("methods", d.methods(), "By name.")
}

// methods reads QEMU's section besides keeping all.
func (d deviceBoot) methods() schema.Type {
	return schema.Also(schema.Sub(bootMethods(d)), sections(&d.Boot))
}

type bootMethods struct{ *Device }

func (d bootMethods) Fields(f *schema.Fields) {
	f.Rest(schema.Text(new(string)), section())
	f.Optional("qemu", schema.Either("a mapping, or nothing", schema.Sub(qemuMethod(d)), schema.Exactly()), "QEMU.")
}

type qemuMethod struct{ *Device }

func (d qemuMethod) Fields(f *schema.Fields) {
	f.Spelled()
	f.Optional("parameters", schema.Keeping(&d.qemu().Node, schema.Sub(lavaQemu{d.qemu()})), "How to start QEMU.")
}

func (d *Device) qemu() *QemuParameters {
	if d.Qemu == nil {
		d.Qemu = new(QemuParameters)
	}
	return d.Qemu
}

// Fields declares the section.
func (q *QemuParameters) Fields(f *schema.Fields) {
	f.Required("command", schema.Text(&q.Command), "The emulator.")
	f.Optional("options", schema.Texts(&q.Options), "Its options.")
	f.Optional("extra", schema.Texts(&q.Extra), "More options.")
	f.Optional(
		"boot_options", schema.Mapping(&q.BootOptions), "Variables of the job's image_arg: root, console, boot_order.",
	)
}

// lavaQemu is the section in LAVA's file, which has more for other methods.
type lavaQemu struct{ *QemuParameters }

func (q lavaQemu) Fields(f *schema.Fields) {
	q.QemuParameters.Fields(f)
	f.Spelled()
}

type deviceTest struct{}
