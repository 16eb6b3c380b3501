package jobs

import (
	"github.com/gantry-ci/gantry/internal/schema"
)

// DeployDownloads fetches files for later actions, which name them by downloads://, and may work on them.
type DeployDownloads struct {
	Deploy
	Images      map[string]*Image
	Uniquify    bool // true when the file does not say
	Postprocess *Postprocess
}

// Postprocess works on downloads in a container.
type Postprocess struct {
	Docker  Docker
	Steps   []string
	Devices []string
}

// Fields declares the block.
func (p *Postprocess) Fields(f *schema.Fields) {
	f.Required("docker", schema.Sub(postprocessDocker{p}), "The container and its steps.")
}

type postprocessDocker struct{ *Postprocess }

func (p postprocessDocker) Fields(f *schema.Fields) {
	p.Docker.Fields(f)
	f.Required("steps", schema.Texts(&p.Steps), "Commands, in the folder of the downloads.")
	f.Optional("devices", schema.Texts(&p.Devices), "Device nodes that the container gets.")
}

// Fields declares the method.
func (p *DeployDownloads) Fields(f *schema.Fields) {
	p.Uniquify = true
	p.fields(f, "downloads")
	f.Required("images", someImages(&p.Images, nil), "The files, by name.")
	f.Optional("uniquify", schema.Flag(&p.Uniquify), "Keep files of one name apart.")
	f.Optional("postprocess", schema.Optionally(&p.Postprocess), "Work on the files.")
}

// DeployDownload is the older form of downloads.
type DeployDownload struct {
	Deploy
	Images map[string]*Image
}

// Fields declares the method.
func (p *DeployDownload) Fields(f *schema.Fields) {
	p.fields(f, "download")
	f.Required("images", someImages(&p.Images, nil), "The files, by name.")
}

// DeployDocker provides a container's image.
type DeployDocker struct {
	Deploy
	Image Docker
}

// Fields declares the method.
func (p *DeployDocker) Fields(f *schema.Fields) {
	p.fields(f, "docker")
	f.Required(
		"image",
		schema.Either(
			"a container image's name, or a mapping with its name", dockerImage(&p.Image.Image),
			schema.Sub(namedDocker{&p.Image}),
		),
		"The image.",
	)
}

// DeployOverlay makes the test overlay alone.
type DeployOverlay struct{ Deploy }

// Fields declares the method.
func (p *DeployOverlay) Fields(f *schema.Fields) { p.fields(f, "overlay") }

// DeploySSH copies the overlay to a host by ssh.
type DeploySSH struct {
	Deploy
	Firmware, Kernel, RootFS, Modules *Image
}

// Fields declares the method.
func (p *DeploySSH) Fields(f *schema.Fields) {
	p.fields(f, "ssh")
	f.Optional("firmware", optionalImage(&p.Firmware, nil), "The firmware.")
	f.Optional("kernel", optionalImage(&p.Kernel, nil), "The kernel.")
	f.Optional("rootfs", optionalImage(&p.RootFS, nil), "The root file system.")
	f.Optional("modules", optionalImage(&p.Modules, nil), "The kernel's modules.")
}

// DeployFvp provides images for Arm's models.
type DeployFvp struct {
	Deploy
	Images   map[string]*Image
	Uniquify bool // true when the file does not say
	Ramdisk  *FvpRamdisk
}

// FvpRamdisk says how the ramdisk among the images is made.
type FvpRamdisk struct {
	InstallOverlay      bool
	Compression, Header string
}

// Fields declares the block.
func (r *FvpRamdisk) Fields(f *schema.Fields) {
	f.Optional("install_overlay", schema.Flag(&r.InstallOverlay), "Put the test overlay into it.")
	f.Optional("compression", schema.Text(&r.Compression), "How it is compressed.")
	f.Optional("header", schema.OneOf(&r.Header, "u-boot"), "Which header it has.")
}

// Fields declares the method.
func (p *DeployFvp) Fields(f *schema.Fields) {
	p.Uniquify = true
	p.fields(f, "fvp")
	f.Optional("ramdisk", schema.Optionally(&p.Ramdisk), "How the ramdisk is made.")
	f.Optional("uniquify", schema.Flag(&p.Uniquify), "Keep files of one name apart.")
	f.Required("images", someImages(&p.Images, nil), "The images, by name.")
}

// DeployAvh makes a virtual device at Arm's Virtual Hardware.
type DeployAvh struct {
	Deploy
	Images                          map[string]*Image
	FWPackage                       *Image // in place of images
	Model, APIEndpoint, ProjectName string
}

// Fields declares the form with images; deployAvhPackage has the other.
func (p *DeployAvh) Fields(f *schema.Fields) {
	p.fields(f, "avh")
	f.Optional("options", schema.Sub(avhOptions{p}), "Which device, where.")
	f.Required("images", someImages(&p.Images, (*Image).avh), "The images, by name.")
}

// Forms are the alternatives, in upstream's order.
func (p *DeployAvh) Forms() []schema.Object { return []schema.Object{p, deployAvhPackage{p}} }

type deployAvhPackage struct{ *DeployAvh }

func (p deployAvhPackage) Fields(f *schema.Fields) {
	p.fields(f, "avh")
	f.Optional("options", schema.Sub(avhOptions(p)), "Which device, where.")
	f.Required("fw_package", optionalImage(&p.FWPackage, func(i *Image, f *schema.Fields) {
		f.Optional("storage_file", schema.Text(&i.StorageFile), "The file in the package that has the root file system.")
		f.Optional("root_partition", index(&i.RootPartition), "The partition of the root file system.")
	}), "The firmware package.")
}

type avhOptions struct{ *DeployAvh }

func (o avhOptions) Fields(f *schema.Fields) {
	f.Optional("model", schema.Text(&o.Model), "The model.")
	f.Optional("api_endpoint", schema.Text(&o.APIEndpoint), "The service.")
	f.Optional("project_name", schema.Text(&o.ProjectName), "The project.")
}

// DeployIsoInstaller installs a system from an ISO image into a new disk.
type DeployIsoInstaller struct {
	Deploy
	ISO, Preseed                     *Image
	InstallationSize, Kernel, Initrd string
}

// Fields declares the method.
func (p *DeployIsoInstaller) Fields(f *schema.Fields) {
	p.fields(f, "iso-installer")
	f.Required("images", schema.Sub(isoImages{p}), "The images.")
	f.Required("iso", schema.Sub(isoLayout{p}), "What is in the ISO image, and what to make.")
}

type isoImages struct{ *DeployIsoInstaller }

func (i isoImages) Fields(f *schema.Fields) {
	f.Required("iso", optionalImage(&i.ISO, (*Image).withArg), "The ISO image.")
	f.Required("preseed", optionalImage(&i.Preseed, nil), "Answers for the installer.")
}

type isoLayout struct{ *DeployIsoInstaller }

func (i isoLayout) Fields(f *schema.Fields) {
	f.Required("installation_size", schema.Text(&i.InstallationSize), "The new disk's size.")
	f.Optional("kernel", schema.Text(&i.Kernel), "The kernel in the ISO image.")
	f.Optional("initrd", schema.Text(&i.Initrd), "The initial RAM disk in the ISO image.")
}
