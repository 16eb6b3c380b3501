package jobs

import (
	"github.com/gantry-ci/gantry/internal/schema"
)

// Deploy is what every deploy action may say.
type Deploy struct {
	Common
	OS             string
	Authorize      string // ssh, or nothing
	OverlayBackend string
}

// fields declares a deploy action to the method of that name.
func (p *Deploy) fields(f *schema.Fields, to string) {
	p.Common.Fields(f)
	f.Optional("os", schema.Text(&p.OS), "The distribution of the root file system, for the test overlay.")
	f.Optional("authorize", schema.OneOf(&p.Authorize, "ssh"), "Put the job's ssh key into the overlay.")
	f.Optional("overlay_backend", schema.OneOf(&p.OverlayBackend, "auto", "e2fsprogs", "guestfs"), "What puts the overlay into an image.")
	f.Required("to", schema.OneOf(new(string), to), "The method.")
}

// DeployTmpfs puts images into the run's folder, for a boot method to find.
type DeployTmpfs struct {
	Deploy
	Images map[string]*Image
	Type   string // monitor, or nothing
	UEFI   *Image
}

// Fields declares the method.
func (p *DeployTmpfs) Fields(f *schema.Fields) {
	p.fields(f, "tmpfs")
	f.Required("images", images(&p.Images, (*Image).withArg), "The images, by name.")
	f.Optional("type", schema.OneOf(&p.Type, "monitor"), "The images are for a monitor, not for an operating system.")
	f.Optional("uefi", optionalImage(&p.UEFI, nil), "The firmware.")
}

func (i *Image) withArg(f *schema.Fields) {
	f.Optional("image_arg", schema.Text(&i.ImageArg), "The emulator's argument; `{name}` in it is the image's file.")
}
