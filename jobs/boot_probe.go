package jobs

import (
	"github.com/gantry-ci/gantry/internal/schema"
)

// BootDfu flashes and starts by dfu-util.
type BootDfu struct{ Boot }

// Fields declares the method.
func (p *BootDfu) Fields(f *schema.Fields) { p.fields(f, "dfu") }

// BootCmsisDAP copies the image to a board's debug disk.
type BootCmsisDAP struct{ Boot }

// Fields declares the method.
func (p *BootCmsisDAP) Fields(f *schema.Fields) { p.fields(f, "cmsis-dap") }

// BootPyOCD flashes and starts by pyOCD.
type BootPyOCD struct{ Boot }

// Fields declares the method.
func (p *BootPyOCD) Fields(f *schema.Fields) { p.fields(f, "pyocd") }

// BootOpenOCD flashes and starts by OpenOCD.
type BootOpenOCD struct{ Boot }

// Fields declares the method.
func (p *BootOpenOCD) Fields(f *schema.Fields) { p.fields(f, "openocd") }

// BootJLink flashes and starts by J-Link.
type BootJLink struct {
	Boot
	Prompts, Commands []string
}

// Fields declares the method.
func (p *BootJLink) Fields(f *schema.Fields) {
	p.fields(f, "jlink")
	f.Optional("prompts", schema.Texts(&p.Prompts), promptsDoc)
	f.Optional("commands", schema.Texts(&p.Commands), "Commands of J-Link.")
}

// BootGdb flashes and starts by GDB.
type BootGdb struct {
	Boot
	Commands  string
	Container string
}

// Fields declares the method.
func (p *BootGdb) Fields(f *schema.Fields) {
	p.fields(f, "gdb")
	f.Required("commands", schema.Text(&p.Commands), "The set of the device's commands.")
	f.Optional("container", schema.Text(&p.Container), "The container that GDB runs in.")
}

// BootMusca starts a Musca board.
type BootMusca struct {
	Boot
	Prompts []string
}

// Fields declares the method.
func (p *BootMusca) Fields(f *schema.Fields) {
	p.fields(f, "musca")
	f.Optional("prompts", prompts(&p.Prompts), promptsDoc)
}

// BootMonitor connects to a console and waits for nothing.
type BootMonitor struct{ Boot }

// Fields declares the method.
func (p *BootMonitor) Fields(f *schema.Fields) { p.fields(f, "monitor") }
