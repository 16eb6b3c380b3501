package jobs

import (
	"regexp"

	"github.com/gantry-ci/gantry/internal/schema"
)

// DeployFastboot flashes partitions by fastboot.
type DeployFastboot struct {
	Deploy
	Images map[string]*Image // by partition
	Docker *Docker
}

// Fields declares the method.
func (p *DeployFastboot) Fields(f *schema.Fields) {
	p.fields(f, "fastboot")
	f.Required("images", someImages(&p.Images, (*Image).fastboot), "The images, by partition.")
	f.Optional("docker", schema.Optionally(&p.Docker), "Run fastboot in this container.")
}

// DeployFlasher runs the device's own flashing commands.
type DeployFlasher struct {
	Deploy
	Images map[string]*Image
}

// Fields declares the method.
func (p *DeployFlasher) Fields(f *schema.Fields) {
	p.fields(f, "flasher")
	f.Required("images", images(&p.Images, nil), "The images, by name.")
}

// DeployQdl flashes Qualcomm's boards in emergency download mode.
type DeployQdl struct {
	Deploy
	Qcomflash    *schema.Node      // as the file has it
	Images       map[string]*Image // of qcomflash
	ApplyOverlay bool
	Uniquify     bool // true when the file does not say
	RootFSImage  string
	OverlayPath  string
}

// Fields declares the method.
func (p *DeployQdl) Fields(f *schema.Fields) {
	p.Uniquify = true
	p.fields(f, "qdl")
	flat := schema.NonEmpty(schema.Anything(nil))
	f.Required("qcomflash", schema.Keeping(&p.Qcomflash, schema.Either("a mapping of images", schema.Sub(qcomflash{
		p,
	}), flat)), "The archive to flash.")
	f.Optional("uniquify", schema.Flag(&p.Uniquify), "Keep files of one name apart.")
	f.Optional("rootfs_image", schema.Text(&p.RootFSImage), "The root file system's file in the archive.")
	f.Optional("overlay_path", schema.Text(&p.OverlayPath), "Where in it the test overlay goes.")
}

type qcomflash struct{ *DeployQdl }

func (q qcomflash) Fields(f *schema.Fields) {
	q.Images = map[string]*Image{}
	f.Optional("apply-overlay", schema.Flag(&q.ApplyOverlay), "Put the test overlay into the root file system.")
	f.Rest(schema.Text(new(string)), schema.Each(func(name string) schema.Type {
		i := new(Image)
		q.Images[name] = i
		return image(i, nil)
	}))
}

// DeployUuu flashes NXP's boards.
type DeployUuu struct {
	Deploy
	Images map[string]*Image // boot is the boot loader
}

// Fields declares the method.
func (p *DeployUuu) Fields(f *schema.Fields) {
	p.fields(f, "uuu")
	f.Required("images", schema.Sub(uuuImages{p}), "The images, by name.")
}

type uuuImages struct{ *DeployUuu }

func (u uuuImages) Fields(f *schema.Fields) {
	u.Images = map[string]*Image{}
	read := func(name string, extra func(*Image, *schema.Fields)) schema.Type {
		i := new(Image)
		return schema.Then(image(i, extra), func() { u.Images[name] = i })
	}
	f.Required("boot", read("boot", nil), "The boot loader.")
	f.Rest(schema.Text(new(string)), schema.Each(func(name string) schema.Type { return read(name, (*Image).partition) }))
}

// DeployRecovery flashes a board in recovery mode.
type DeployRecovery struct {
	Deploy
	Images map[string]*Image
}

// Fields declares the method.
func (p *DeployRecovery) Fields(f *schema.Fields) {
	p.fields(f, "recovery")
	f.Required("images", someImages(&p.Images, nil), "The images, by name.")
}

// DeployMedia writes an image to removable media: sata, sd or usb.
type DeployMedia struct {
	Deploy
	To               string
	Image            *Image
	Images           map[string]*Image // image, and others such as its block map
	Device           string            // as the device file names it
	Download, Writer *Writer
	ToolPrompts      []string
	Uniquify         bool // true when the file does not say
}

// Writer is a command that writes.
type Writer struct{ Tool, Options, Prompt string }

// Fields declares the block.
func (w *Writer) Fields(f *schema.Fields) {
	f.Required("tool", schema.Text(&w.Tool), "The program's path on the target.")
	f.Required("options", schema.Text(&w.Options), "Its options, with placeholders such as {DOWNLOAD_URL} and {DEVICE}.")
	f.Required("prompt", schema.Text(&w.Prompt), "What it prints when it starts.")
}

// Fields declares the method.
func (p *DeployMedia) Fields(f *schema.Fields) {
	p.Uniquify = true
	p.fields(f, "sata", "sd", "usb")
	f.Optional("images", schema.Sub(mediaImages{p}), "The image, and files that belong to it.")
	f.Optional("image", optionalImage(&p.Image, nil), "The image.")
	f.Exclusive("images", "image")
	f.Required("device", schema.Text(&p.Device), "Which of the device's media.")
	f.Optional("download", schema.Optionally(&p.Download), "What fetches the image on the target.")
	f.Optional("writer", schema.Optionally(&p.Writer), "What fetches and writes the image on the target.")
	f.Optional("tool", schema.Sub(toolPrompts{&p.ToolPrompts}), "What the tool prints.")
	f.Optional("uniquify", schema.Flag(&p.Uniquify), "Keep files of one name apart.")
}

type mediaImages struct{ *DeployMedia }

func (m mediaImages) Fields(f *schema.Fields) {
	m.Images = map[string]*Image{}
	read := func(name string) schema.Type {
		i := new(Image)
		return schema.Then(image(i, nil), func() { m.Images[name] = i })
	}
	f.Required("image", read("image"), "The image.")
	f.Rest(schema.Text(new(string)), schema.Each(read))
}

type toolPrompts struct{ dst *[]string }

func (t toolPrompts) Fields(f *schema.Fields) {
	f.Required("prompts", schema.Texts(t.dst), "Regular expressions.")
}

// DeployUBootUMS writes an image through U-Boot's USB mass storage.
type DeployUBootUMS struct {
	Deploy
	Image *Image
}

// Fields declares the method.
func (p *DeployUBootUMS) Fields(f *schema.Fields) {
	p.fields(f, "u-boot-ums")
	f.Required("image", optionalImage(&p.Image, func(i *Image, f *schema.Fields) {
		f.Optional("root_partition", index(&i.RootPartition), "The partition of the root file system.")
	}), "The image.")
}

// DeployUsbgMS gives a board its image as a USB gadget.
type DeployUsbgMS struct {
	Deploy
	Image *Image
}

// Fields declares the method.
func (p *DeployUsbgMS) Fields(f *schema.Fields) {
	p.fields(f, "usbg-ms")
	f.Required("image", optionalImage(&p.Image, nil), "The image.")
}

// DeployMps copies test binaries to an MPS board.
type DeployMps struct {
	Deploy
	Images map[string]*Image // recovery_image, test_binary, test_binary_…
}

var testBinaryRE = regexp.MustCompile(`^test_binary(_\w+)?$`)

// Fields declares the method.
func (p *DeployMps) Fields(f *schema.Fields) {
	p.fields(f, "mps")
	f.Required("images", schema.NonEmpty(schema.Sub(mpsImages{p})), "The images.")
}

type mpsImages struct{ *DeployMps }

func (m mpsImages) Fields(f *schema.Fields) {
	m.Images = map[string]*Image{}
	read := func(name string, extra func(*Image, *schema.Fields)) schema.Type {
		i := new(Image)
		return schema.Then(image(i, extra), func() { m.Images[name] = i })
	}
	f.Optional("recovery_image", read("recovery_image", nil), "The firmware.")
	f.Rest(schema.Matching(
		new(string), testBinaryRE, "test_binary, or test_binary_NAME",
	), schema.Each(func(name string) schema.Type {
		return read(name, func(i *Image, f *schema.Fields) {
			f.Optional("rename", schema.Text(&i.Rename), "The file's name on the board.")
		})
	}))
}

// DeployMusca copies a test binary to a Musca board.
type DeployMusca struct {
	Deploy
	TestBinary *Image
}

// Fields declares the method.
func (p *DeployMusca) Fields(f *schema.Fields) {
	p.fields(f, "musca")
	f.Required("images", schema.Sub(muscaImages{p}), "The images.")
}

type muscaImages struct{ *DeployMusca }

func (m muscaImages) Fields(f *schema.Fields) {
	f.Required("test_binary", optionalImage(&m.TestBinary, nil), "The test.")
}

// DeployVemsd copies firmware to a Versatile Express board.
type DeployVemsd struct {
	Deploy
	RecoveryImage *Image
}

// Fields declares the method.
func (p *DeployVemsd) Fields(f *schema.Fields) {
	p.fields(f, "vemsd")
	f.Required("recovery_image", optionalImage(&p.RecoveryImage, nil), "The firmware.")
}
