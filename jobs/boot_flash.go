package jobs

import (
	"github.com/gantry-ci/gantry/internal/schema"
)

// BootFastboot boots what fastboot flashed.
type BootFastboot struct {
	Boot
	Login
	Commands      []string
	UseBootscript bool
	Docker        *Docker
}

// Fields declares the method.
func (p *BootFastboot) Fields(f *schema.Fields) {
	p.fields(f, "fastboot")
	f.Optional("commands", schema.Texts(&p.Commands), "Commands of fastboot.")
	f.Optional("use_bootscript", schema.Flag(&p.UseBootscript), "Put the commands into a script.")
	p.transfer(f)
	f.Optional("docker", schema.Optionally(&p.Docker), "Run fastboot in this container.")
}

// BootUuu boots NXP's boards by uuu.
type BootUuu struct {
	Boot
	Set                      string    // bcu or a script of the device's
	Commands                 []UuuPair // in order
	Docker                   *Docker
	SkipUuuIfBootloaderValid bool
}

// UuuPair is a protocol of uuu, or bcu, and its command.
type UuuPair map[string]string

// Fields declares the method.
func (p *BootUuu) Fields(f *schema.Fields) {
	p.fields(f, "uuu")
	pair := func(v *UuuPair) schema.Type { return schema.MapOf((*map[string]string)(v), schema.Text) }
	f.Required(
		"commands",
		schema.Either(
			"the name of a set of the device's commands, or a list of PROTOCOL: COMMAND", schema.Text(&p.Set),
			schema.ListOf(&p.Commands, pair),
		),
		"A set of the device's commands, or the commands.",
	)
	f.Optional("docker", schema.Optionally(&p.Docker), "Run uuu in this container.")
	f.Optional(
		"skip_uuu_if_bootloader_valid", schema.Flag(&p.SkipUuuIfBootloaderValid), "Do nothing when the boot loader is there.",
	)
}

// BootQdl boots Qualcomm's boards by qdl.
type BootQdl struct {
	Boot
	FirehoseProgram, RawProgram, Patch, Path, Storage string
	Debug                                             bool
	Docker                                            *Docker
}

// Fields declares the method.
func (p *BootQdl) Fields(f *schema.Fields) {
	p.fields(f, "qdl")
	f.Required("firehose_program", schema.Text(&p.FirehoseProgram), "The programmer that is loaded first.")
	f.Required("rawprogram", schema.Text(&p.RawProgram), "What is flashed where.")
	f.Optional("patch", schema.Text(&p.Patch), "What is patched after.")
	f.Optional("path", schema.Text(&p.Path), "Where in the archive the files are.")
	f.Optional("storage", schema.Text(&p.Storage), "emmc, ufs, …")
	f.Optional("debug", schema.Flag(&p.Debug), "Say more.")
	f.Optional("docker", schema.Optionally(&p.Docker), "Run qdl in this container.")
}

// BootRecovery switches recovery mode.
type BootRecovery struct {
	Boot
	Commands string // recovery or exit
}

// Fields declares the method.
func (p *BootRecovery) Fields(f *schema.Fields) {
	p.fields(f, "recovery")
	f.Required("commands", schema.OneOf(&p.Commands, "recovery", "exit"), "Into recovery mode, or out of it.")
}
