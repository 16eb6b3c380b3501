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
	p.fields(f, "qemu")
	f.Optional("connection", schema.OneOf(&p.Connection, "serial"), "How to reach the guest.")
	f.Optional("media", schema.OneOf(&p.Media, "tmpfs"), "Where the images are.")
	p.transfer(f)
	d := new(Docker)
	f.Optional("docker", schema.Then(schema.Sub(qemuDocker{d}), func() {
		p.Docker = d
	}), "Run the emulator in this container.")
}

// BootQemuNfs boots a guest in QEMU with a root file system by NFS.
type BootQemuNfs struct {
	Boot
	Login
	Connection, Media string
}

// Fields declares the method.
func (p *BootQemuNfs) Fields(f *schema.Fields) {
	p.fields(f, "qemu-nfs")
	f.Optional("connection", schema.OneOf(&p.Connection, "serial"), "How to reach the guest.")
	f.Optional("media", schema.OneOf(&p.Media, "nfs"), "Where the root file system is.")
	p.transfer(f)
}

// BootQemuIso boots what iso-installer installed.
type BootQemuIso struct {
	Boot
	Login
	Media string
}

// Fields declares the method.
func (p *BootQemuIso) Fields(f *schema.Fields) {
	p.fields(f, "qemu-iso")
	f.Required("media", schema.OneOf(&p.Media, "img"), "Where the system is.")
	p.login(f)
}

// BootFvp boots one of Arm's models.
type BootFvp struct {
	Boot
	Login
	UseTelnet                                                        bool // true when the file does not say
	ConsoleString, Image, LicenseVariable, UBLLicense, VersionString string
	Feedbacks, Arguments                                             []string
	Docker                                                           Docker
}

// Fields declares the method.
func (p *BootFvp) Fields(f *schema.Fields) {
	p.UseTelnet = true
	p.fields(f, "fvp")
	p.transfer(f)
	f.Optional("use_telnet", schema.Flag(&p.UseTelnet), "Reach the console by telnet.")
	f.Required(
		"console_string", schema.Text(&p.ConsoleString), "Regular expression of the line that names the console's port.",
	)
	f.Optional("feedbacks", schema.Texts(&p.Feedbacks), "The same, of consoles to read besides.")
	f.Required("image", schema.Text(&p.Image), "The model's program in the container.")
	f.Optional("license_variable", schema.Text(&p.LicenseVariable), "The licence server.")
	f.Optional("ubl_license", schema.Text(&p.UBLLicense), "The user based licence.")
	f.Optional("version_string", schema.Text(&p.VersionString), "Regular expression of the model's version.")
	f.Required("arguments", schema.Texts(&p.Arguments), "The model's arguments; `{name}` in them is an image's file.")
	f.Required("docker", schema.Sub(namedDocker{&p.Docker}), "The container that has the model.")
}

// BootAvh boots a virtual device at Arm's Virtual Hardware.
type BootAvh struct {
	Boot
	Login
	NormalArgs, RestoreArgs string
	Docker                  *Docker
}

// Fields declares the method.
func (p *BootAvh) Fields(f *schema.Fields) {
	p.fields(f, "avh")
	p.login(f)
	f.Optional("bootargs", schema.Sub(avhBootargs{p}), "The kernel's arguments.")
	f.Optional("docker", schema.Optionally(&p.Docker), "Run the client in this container.")
	f.Required("prompts", prompts(&p.Prompts), promptsDoc)
}

type avhBootargs struct{ *BootAvh }

func (b avhBootargs) Fields(f *schema.Fields) {
	f.Optional("normal", schema.Text(&b.NormalArgs), "In a normal boot.")
	f.Optional("restore", schema.Text(&b.RestoreArgs), "In a restoring boot.")
}

// BootDocker starts a container; a shell in it is the target.
type BootDocker struct {
	Boot
	Prompts            []string
	Command            string
	DownloadsNamespace string
}

// Fields declares the method.
func (p *BootDocker) Fields(f *schema.Fields) {
	p.fields(f, "docker")
	f.Required("command", schema.Text(&p.Command), "What runs in the container.")
	f.Optional("prompts", prompts(&p.Prompts), promptsDoc)
	f.Optional("downloads-namespace", schema.Text(&p.DownloadsNamespace), "Whose downloads the container sees.")
}

// BootNodebooter starts nodebooter's container.
type BootNodebooter struct {
	Boot
	Prompts            []string
	Command            string
	DownloadsNamespace string
}

// Fields declares the method.
func (p *BootNodebooter) Fields(f *schema.Fields) {
	p.fields(f, "nodebooter")
	f.Required("command", schema.Text(&p.Command), "What runs in the container.")
	f.Optional("prompts", prompts(&p.Prompts), promptsDoc)
	f.Optional("downloads-namespace", schema.Text(&p.DownloadsNamespace), "Whose downloads the container sees.")
}
