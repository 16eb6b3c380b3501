package jobs

import (
	"math"

	"github.com/gantry-ci/gantry/internal/schema"
)

// Deploy is what every deploy action may say.
type Deploy struct {
	Common
	OS             string
	Authorize      string // ssh, or nothing
	OverlayBackend string // auto, e2fsprogs or guestfs, or nothing
}

// fields declares a deploy action to one of the names.
func (p *Deploy) fields(f *schema.Fields, to ...string) {
	p.Common.Fields(f)
	f.Optional("os", schema.Text(&p.OS), "The distribution of the root file system, for the test overlay.")
	f.Optional("authorize", schema.OneOf(&p.Authorize, "ssh"), "Put the job's ssh key into the overlay.")
	f.Optional("overlay_backend", overlayBackend(&p.OverlayBackend), "What puts the overlay into an image.")
	f.Required("to", schema.OneOf(new(string), to...), "The method.")
}

func overlayBackend(dst *string) schema.Type {
	return schema.OneOf(dst, "auto", "e2fsprogs", "guestfs")
}

// index is a number from zero, such as a partition's.
func index(dst *int) schema.Type { return schema.Number(dst, 0, math.Inf(1)) }

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
	f.Required("images", someImages(&p.Images, (*Image).withArg), "The images, by name.")
	f.Optional("type", schema.OneOf(&p.Type, "monitor"), "The images are for a monitor, not for an operating system.")
	f.Optional("uefi", optionalImage(&p.UEFI, nil), "The firmware.")
}

// DeployTftp puts a kernel and what belongs to it where a boot loader fetches it.
type DeployTftp struct {
	Deploy
	Kernel, DTB, Modules, Preseed, Ramdisk, NFSRootFS, TEE *Image

	DTBO          []*Image
	ExtraFiles    map[string]*Image
	PersistentNFS *PersistentNFS
}

// PersistentNFS is a root file system that outlives the job.
type PersistentNFS struct {
	Address        string // HOST:PATH
	InstallOverlay bool   // true when the file does not say
}

// Fields declares the block.
func (n *PersistentNFS) Fields(f *schema.Fields) {
	n.InstallOverlay = true
	f.Required("address", schema.Text(&n.Address), "HOST:PATH of the export.")
	f.Optional("install_overlay", schema.Flag(&n.InstallOverlay), "Put the test overlay into it.")
}

// Fields declares the method.
func (p *DeployTftp) Fields(f *schema.Fields) {
	p.fields(f, "tftp")
	f.Required("kernel", optionalImage(&p.Kernel, (*Image).kernelType), "The kernel.")
	f.Optional("dtb", optionalImage(&p.DTB, nil), "The device tree.")
	f.Optional("dtbo", schema.ListOf(&p.DTBO, func(v **Image) schema.Type {
		return optionalImage(v, nil)
	}), "Device tree overlays, in order.")
	f.Optional("modules", optionalImage(&p.Modules, nil), "The kernel's modules.")
	f.Optional("preseed", optionalImage(&p.Preseed, nil), "Answers for an installer.")
	f.Optional("ramdisk", optionalImage(&p.Ramdisk, (*Image).ramdisk), "The initial RAM disk.")
	f.Optional("nfsrootfs", optionalImage(&p.NFSRootFS, (*Image).nfsroot), "The root file system, exported by NFS.")
	f.Optional("persistent_nfs", schema.Optionally(&p.PersistentNFS), "A root file system that outlives the job.")
	f.Exclusive("nfsrootfs", "persistent_nfs")
	f.Optional("tee", optionalImage(&p.TEE, nil), "The trusted execution environment.")
	f.Optional("extra_files", images(&p.ExtraFiles, nil), "Files that the boot loader's commands fetch, by name.")
}

// DeployNfs provides a root file system by NFS, or images for a guest with one.
type DeployNfs struct {
	Deploy
	NFSRootFS, Modules *Image
	Images             map[string]*Image
}

// Fields declares the form with a root file system; deployNfsImages has the other.
func (p *DeployNfs) Fields(f *schema.Fields) {
	p.fields(f, "nfs")
	f.Optional("nfsrootfs", optionalImage(&p.NFSRootFS, nil), "The root file system, exported by NFS.")
	f.Optional("modules", optionalImage(&p.Modules, nil), "The kernel's modules.")
}

// Forms are the alternatives, in upstream's order.
func (p *DeployNfs) Forms() []schema.Object { return []schema.Object{p, deployNfsImages{p}} }

type deployNfsImages struct{ *DeployNfs }

func (p deployNfsImages) Fields(f *schema.Fields) {
	p.fields(f, "nfs")
	f.Required("images", someImages(&p.Images, (*Image).withArg), "The images, by name.")
}

// DeployNbd provides a root file system by NBD.
type DeployNbd struct {
	Deploy
	Kernel, NBDRoot, Initrd, DTB *Image
}

// Fields declares the method.
func (p *DeployNbd) Fields(f *schema.Fields) {
	p.fields(f, "nbd")
	f.Required("kernel", optionalImage(&p.Kernel, (*Image).kernelType), "The kernel.")
	f.Required("nbdroot", optionalImage(&p.NBDRoot, nil), "The root file system.")
	f.Required("initrd", optionalImage(&p.Initrd, nil), "The initial RAM disk.")
	f.Optional("dtb", optionalImage(&p.DTB, nil), "The device tree.")
}
