package overlay

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gantry-ci/gantry/results"
)

// Format is what a ramdisk begins with.
type Format string

// Formats of ramdisks that the kernel unpacks.
const (
	FormatCPIO  Format = "cpio"
	FormatGzip  Format = "gz"
	FormatBzip2 Format = "bz2"
	FormatLZMA  Format = "lzma"
	FormatXZ    Format = "xz"
	FormatLZO   Format = "lzo"
	FormatLZ4   Format = "lz4"
	FormatZstd  Format = "zst"
)

// DetectFormat is a ramdisk's format by its first bytes, at least 6 of them; "" is none that the kernel takes.
func DetectFormat(head []byte) Format {
	magics := []struct {
		magic  string
		format Format
	}{
		{"070701", FormatCPIO},
		{"070702", FormatCPIO},
		{"\x1f\x8b", FormatGzip},
		{"\x1f\x9e", FormatGzip},
		{"BZh", FormatBzip2},
		{"\x5d\x00\x00", FormatLZMA},
		{"\xfd7zXZ\x00", FormatXZ},
		{"\x89LZO\x00", FormatLZO},
		{"\x02\x21\x4c\x18", FormatLZ4},
		{"\x28\xb5\x2f\xfd", FormatZstd},
	}
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.format
		}
	}
	return ""
}

// uImage is the magic of U-Boot's legacy image header.
const uImage = "\x27\x05\x19\x56"

// ramdisk is the sink of ramdisks: the image with the content is a new file beside it.
func ramdisk(_ context.Context, content []*Content, into Image) (Result, error) {
	to := into.Path + ".overlay"
	format, err := AppendCPIO(to, into.Path, content...)
	if err != nil {
		return Result{}, err
	}
	return Result{Path: to, How: fmt.Sprintf("appended to the ramdisk (%s)", format)}, nil
}

// AppendCPIO writes the ramdisk src, followed by the content, to the new file dst, and returns src's format. Nothing is
// unpacked: the kernel takes any number of archives one after the other, each compressed in its own way or not at
// all (Documentation/driver-api/early-userspace/buffer-format.rst); later files replace earlier ones. What
// follows an uncompressed ramdisk stays uncompressed; after any other it is gzip, which every kernel that takes
// compressed ramdisks takes.
//
// A src that is no ramdisk is class job; one under a U-Boot header is, too, since its length and checksum would not
// fit any more.
func AppendCPIO(dst, src string, content ...*Content) (Format, error) {
	in, err := os.Open(src)
	if err != nil {
		return "", fmt.Errorf("append overlay: %w", err)
	}
	defer func() { _ = in.Close() }() // only read
	head := make([]byte, 6)
	n, err := io.ReadFull(in, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("append overlay: %w", err)
	}
	format := DetectFormat(head[:n])
	switch {
	case bytes.HasPrefix(head, []byte(uImage)):
		return "", results.Failf(
			results.ClassJob, "append overlay: %s has a U-Boot header: give the ramdisk without one", src,
		)
	case format == "":
		return "", results.Failf(results.ClassJob, "append overlay: %s is no ramdisk: it begins with % x", src, head[:n])
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("append overlay: %w", err)
	}
	out, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("append overlay: %w", err)
	}
	err = errors.Join(appendTo(out, in, format, content), out.Close())
	if err != nil {
		err = errors.Join(fmt.Errorf("append overlay to %s: %w", src, err), os.Remove(dst))
	}
	return format, err
}

// align is what an uncompressed archive's place in the ramdisk must be a multiple of.
const align = 4

// appendTo copies by the kernel where it can: a *os.File to a *os.File.
func appendTo(out *os.File, in io.Reader, format Format, content []*Content) error {
	size, err := io.Copy(out, in)
	if err != nil {
		return err
	}
	pad := (align - size%align) % align
	if format == FormatLZ4 {
		// LZ4's legacy frames have no end but a block length of zero.
		pad += 2 * align
	}
	if _, err := out.Write(make([]byte, pad)); err != nil {
		return err
	}
	for _, c := range content {
		if format == FormatCPIO {
			err = c.WriteCPIO(out)
		} else {
			z := gzip.NewWriter(out)
			err = errors.Join(c.WriteCPIO(z), z.Close())
		}
		if err != nil {
			return err
		}
	}
	return nil
}
