package jobs

import (
	"github.com/gantry-ci/gantry/internal/schema"
)

// Image is a file to fetch: LAVA's url object, with the keys that some methods add.
type Image struct {
	schema.Position // of the image's key
	Places          schema.Places

	URL         string // file, http, https, scp, rclone, or downloads://
	Headers     map[string]string
	Compression string // bz2, gz, xz, zip, zstd, or none
	Archive     string // tar, or none
	MD5Sum      string
	SHA256Sum   string
	SHA512Sum   string
	UseCache    bool // true when the file does not say

	Format         string // with overlays: cpio.newc, ext4 or tar
	Partition      int    // -1 when the file does not say
	Sparse         bool
	OverlayBackend string
	Overlays       map[string]*Overlay
	LavaOverlay    bool // overlays has lava: true

	// What single methods add.
	ImageArg       string // QEMU's argument, with {name} in it
	Type           string // of a kernel: image, uimage or zimage
	InstallModules bool   // true when the file does not say
	InstallOverlay bool   // true when the file does not say
	Header         string // u-boot, or nothing
	Prefix         string // where in a tar archive the root file system is
	ApplyOverlay   bool
	RootPartition  int    // -1 when the file does not say
	Reboot         string // after flashing
	Rename         string
	StorageFile    string
}

// At is the place of one of the image's keys, or else of the image.
func (i *Image) At(key string) schema.Position {
	if p, ok := i.Places[key]; ok {
		return p
	}
	return i.Position
}

// Overlay is a file that is put into an image.
type Overlay struct {
	Image
	Path string // where in the image
}

// urlFields declares LAVA's url object.
func (i *Image) urlFields(f *schema.Fields) {
	i.UseCache, i.InstallModules, i.InstallOverlay, i.Partition, i.RootPartition = true, true, true, -1, -1
	f.Place(&i.Position)
	f.Places(&i.Places)
	f.Required(
		"url", schema.Text(&i.URL),
		"Where the file is: file, http, https, scp or rclone, or downloads:// for one of an earlier `deploy to: downloads`.",
	)
	f.Optional("headers", schema.Values(&i.Headers), "HTTP headers of the request.")
	f.Optional(
		"compression", schema.Either(
			"one of bz2, gz, xz, zip, zstd, or null",
			schema.OneOf(&i.Compression, "bz2", "gz", "xz", "zip", "zstd"), schema.Exactly(),
		),
		"How the file is compressed; it is unpacked.",
	)
	f.Optional("archive", schema.OneOf(&i.Archive, "tar"), "The file is an archive.")
	f.Optional("md5sum", schema.Text(&i.MD5Sum), "Checksum of the file as fetched.")
	f.Optional("sha256sum", schema.Text(&i.SHA256Sum), "Checksum of the file as fetched.")
	f.Optional("sha512sum", schema.Text(&i.SHA512Sum), "Checksum of the file as fetched.")
	f.Optional("use_cache", schema.Flag(&i.UseCache), "Whether a copy from the lab's cache will do.")
}

// imageObject is an image that may be changed by overlays, with the keys that extra adds.
type imageObject struct {
	*Image
	extra    func(f *schema.Fields)
	overlays bool
}

func (o imageObject) Fields(f *schema.Fields) {
	o.urlFields(f)
	if o.extra != nil {
		o.extra(f)
	}
	if !o.overlays {
		return
	}
	f.Required("format", schema.OneOf(&o.Format, "cpio.newc", "ext4", "tar"), "What the image is.")
	f.Optional("partition", schema.Integer(&o.Partition), "The partition of the image to change.")
	f.Optional("sparse", schema.Flag(&o.Sparse), "The image is in Android's sparse format.")
	f.Optional("overlay_backend", overlayBackend(&o.OverlayBackend), "What changes the image.")
	f.Required("overlays", schema.Sub(overlays{o.Image}), "What is put into the image.")
}

type overlays struct{ *Image }

func (o overlays) Fields(f *schema.Fields) {
	o.Overlays = map[string]*Overlay{}
	f.Optional("lava", schema.Flag(&o.LavaOverlay), "LAVA's test overlay.")
	var now *Overlay
	f.Rest(schema.Text(new(string)), schema.Each(func(name string) schema.Type {
		now = new(Overlay)
		o.Overlays[name] = now
		return schema.Sub(overlayObject{now})
	}))
}

type overlayObject struct{ *Overlay }

func (o overlayObject) Fields(f *schema.Fields) {
	o.urlFields(f)
	f.Required("format", schema.OneOf(&o.Format, "file", "tar"), "Whether it is unpacked.")
	f.Required("path", schema.Text(&o.Path), "Where in the image it goes.")
}

// image is the type of an image: a url object, or one with overlays.
func image(dst *Image, extra func(i *Image, f *schema.Fields)) schema.Type {
	more := func(f *schema.Fields) {
		if extra != nil {
			extra(dst, f)
		}
	}
	changed := schema.Sub(imageObject{dst, more, true})
	either := schema.Either("a mapping with a url", schema.Sub(imageObject{dst, more, false}), changed)
	return schema.Leniently(either, changed)
}

// images is the type of images by name.
func images(dst *map[string]*Image, extra func(i *Image, f *schema.Fields)) schema.Type {
	return schema.MapOf(dst, func(v **Image) schema.Type {
		*v = new(Image)
		return image(*v, extra)
	})
}

// someImages is images with at least one.
func someImages(dst *map[string]*Image, extra func(i *Image, f *schema.Fields)) schema.Type {
	return schema.NonEmpty(images(dst, extra))
}

// optionalImage is the type of an image that leaves nil when the file has none.
func optionalImage(dst **Image, extra func(i *Image, f *schema.Fields)) schema.Type {
	i := new(Image)
	return schema.Then(image(i, extra), func() { *dst = i })
}

func (i *Image) withArg(f *schema.Fields) {
	f.Optional("image_arg", schema.Text(&i.ImageArg), "The emulator's argument; `{name}` in it is the image's file.")
}

func (i *Image) kernelType(f *schema.Fields) {
	f.Optional(
		"type", schema.OneOf(&i.Type, "image", "uimage", "zimage"),
		"What kind of kernel it is, for the boot loader's command.",
	)
}

func (i *Image) ramdisk(f *schema.Fields) {
	f.Optional("install_modules", schema.Flag(&i.InstallModules), "Put the modules into it.")
	f.Optional("install_overlay", schema.Flag(&i.InstallOverlay), "Put the test overlay into it.")
	f.Optional("header", schema.OneOf(&i.Header, "u-boot"), "Which header it has.")
}

func (i *Image) nfsroot(f *schema.Fields) {
	f.Optional("install_modules", schema.Flag(&i.InstallModules), "Put the modules into it.")
	f.Optional("install_overlay", schema.Flag(&i.InstallOverlay), "Put the test overlay into it.")
	f.Optional("prefix", schema.Text(&i.Prefix), "Where in the archive the root file system is.")
}

func (i *Image) fastboot(f *schema.Fields) {
	i.partition(f)
	f.Optional("sparse", schema.Flag(&i.Sparse), "The image is in Android's sparse format.")
	f.Optional(
		"reboot",
		schema.OneOf(&i.Reboot, "hard-reset", "fastboot-reboot", "fastboot-reboot-bootloader", "fastboot-reboot-fastboot"),
		"What to do after it is flashed.",
	)
}

func (i *Image) partition(f *schema.Fields) {
	f.Optional("apply-overlay", schema.Flag(&i.ApplyOverlay), "Put the test overlay into it.")
	f.Optional("root_partition", index(&i.RootPartition), "The partition of the root file system.")
}

func (i *Image) avh(f *schema.Fields) {
	f.Optional("format", schema.OneOf(&i.Format, "ext4"), "What the image is.")
	f.Optional("root_partition", index(&i.RootPartition), "The partition of the root file system.")
	f.Optional("type", schema.OneOf(&i.Type, "image"), "What kind of kernel it is.")
}
