package jobs

import (
	"github.com/gantry-ci/gantry/internal/schema"
)

// LoaderCommands are a boot loader's: a set that the device file names, or the commands themselves.
type LoaderCommands struct {
	Set      string   // ramdisk, nfs, nbd, …
	Commands []string // literal
}

func loaderCommands(c *LoaderCommands) schema.Type {
	return schema.Either(
		"the name of a set of the device's commands, or a list of commands", schema.Text(&c.Set), schema.Texts(&c.Commands),
	)
}

// loader is what boot loaders have in common.
type loader struct {
	Boot
	Login
	Commands      LoaderCommands
	UseBootscript bool
	Reset         bool // true when the file does not say
}

func (l *loader) loader(f *schema.Fields, method string) {
	l.Reset = true
	l.fields(f, method)
	f.Required("commands", loaderCommands(&l.Commands), "A set of the device's commands, or the commands.")
	l.transfer(f)
	f.Optional(
		"use_bootscript", schema.Flag(&l.UseBootscript), "Put the commands into a script that the boot loader fetches.",
	)
	f.Optional("reset", schema.Flag(&l.Reset), "Reset the board first.")
}

// BootUBoot boots by U-Boot.
type BootUBoot struct{ loader }

// Fields declares the method.
func (p *BootUBoot) Fields(f *schema.Fields) { p.loader.loader(f, "u-boot") }

// BootBarebox boots by barebox.
type BootBarebox struct{ loader }

// Fields declares the method.
func (p *BootBarebox) Fields(f *schema.Fields) { p.loader.loader(f, "barebox") }

// BootDepthcharge boots by depthcharge.
type BootDepthcharge struct{ loader }

// Fields declares the method.
func (p *BootDepthcharge) Fields(f *schema.Fields) { p.loader.loader(f, "depthcharge") }

// BootIpxe boots by iPXE.
type BootIpxe struct{ loader }

// Fields declares the method.
func (p *BootIpxe) Fields(f *schema.Fields) { p.loader.loader(f, "ipxe") }

// BootGrub boots by GRUB.
type BootGrub struct {
	loader
	BootFinished []string // regular expressions: what the system says last when no shell is expected
	ExpectShell  bool     // true when the file does not say
}

// Fields declares the method.
func (p *BootGrub) Fields(f *schema.Fields) { p.grub(f, "grub") }

func (p *BootGrub) grub(f *schema.Fields, method string) {
	p.ExpectShell = true
	p.loader.loader(f, method)
	f.Optional(
		"boot_finished", schema.TextOrTexts(&p.BootFinished), "What the system says last when no shell is expected.",
	)
	f.Optional("expect_shell", schema.Flag(&p.ExpectShell), "The boot ends in a shell.")
}

// BootGrubEFI boots by GRUB, started by UEFI.
type BootGrubEFI struct{ BootGrub }

// Fields declares the method.
func (p *BootGrubEFI) Fields(f *schema.Fields) { p.grub(f, "grub-efi") }

// BootUEFI boots by the UEFI shell.
type BootUEFI struct {
	loader
	ShellMenu string
}

// Fields declares the method.
func (p *BootUEFI) Fields(f *schema.Fields) {
	p.loader.loader(f, "uefi")
	f.Optional("shell_menu", schema.Text(&p.ShellMenu), "The menu's entry for the shell.")
}

// BootUEFIMenu boots by the UEFI menu.
type BootUEFIMenu struct {
	Boot
	Login
	Commands, LineSeparator string
}

// Fields declares the method.
func (p *BootUEFIMenu) Fields(f *schema.Fields) {
	p.fields(f, "uefi-menu")
	f.Optional("commands", schema.Text(&p.Commands), "The set of the device's menu commands.")
	f.Optional("line_separator", schema.Text(&p.LineSeparator), "What ends a line of the menu: dos or unix.")
	p.login(f)
}

// BootBootloader interrupts the boot loader and types commands; it boots no system.
type BootBootloader struct {
	Boot
	Bootloader    string
	Commands      []string
	UseBootscript bool
	Prompts       []string
}

// Fields declares the method.
func (p *BootBootloader) Fields(f *schema.Fields) {
	p.fields(f, "bootloader")
	f.Required("bootloader", schema.Text(&p.Bootloader), "Which boot loader.")
	f.Required("commands", schema.Texts(&p.Commands), "The commands.")
	f.Optional(
		"use_bootscript", schema.Flag(&p.UseBootscript), "Put the commands into a script that the boot loader fetches.",
	)
	f.Optional("prompts", prompts(&p.Prompts), "Regular expressions of the boot loader's prompt.")
}
