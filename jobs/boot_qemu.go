package jobs

import (
	"github.com/gantry-ci/gantry/internal/schema"
)

// BootQemu boots a guest in QEMU with the images that `deploy to: tmpfs` provided.
type BootQemu struct {
	Boot
	Login
	Connection string // serial, or nothing
	Media      string // tmpfs, or nothing
	Docker     *Docker
}

// Fields declares the method.
func (p *BootQemu) Fields(f *schema.Fields) {
	p.Boot.fields(f, "qemu")
	f.Optional("connection", schema.OneOf(&p.Connection, "serial"), "How to reach the guest.")
	f.Optional("media", schema.OneOf(&p.Media, "tmpfs"), "Where the images are.")
	p.Login.fields(f)
	d := new(Docker)
	f.Optional("docker", schema.Then(schema.Sub(qemuDocker{d}), func() { p.Docker = d }), "Run the emulator in this container.")
}
