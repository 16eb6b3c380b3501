package overlay

import "context"

// Kind is what an image is, as far as putting files into it goes.
type Kind string

// Kinds of images. The first three are LAVA's formats.
const (
	KindRamdisk Kind = "cpio.newc" // a cpio archive that the kernel unpacks, compressed or not
	KindTar     Kind = "tar"       // a root file system as a tar archive
	KindExt4    Kind = "ext4"      // a file system, without a partition table; ext2 and ext3 too
)

// Sink puts content into an image, in the order given: what comes later replaces what it finds. It may change the image
// or write another file beside it; after an error the image is to be thrown away. An image that does not take the
// content is class job.
type Sink func(ctx context.Context, content []*Content, into Image) (Result, error)

// Image is a file of the run's own, which nothing else uses.
type Image struct{ Path string }

// Result is what a sink made.
type Result struct {
	Path string // of the image with the content
	How  string // for the record: "appended to the ramdisk (gz)"
}

// Sinks is the table of what content can be put into.
func Sinks() map[Kind]Sink {
	return map[Kind]Sink{KindRamdisk: ramdisk, KindTar: tarball, KindExt4: ext4}
}
