package symbol

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Limits of a kernel image, which is the user's.
const (
	maxKernel     = 512 << 20       // bytes, unpacked: distributions' have 30 to 100 MB
	maxKernelIDs  = 100             // build ids in it: its own, and one for each vDSO
	maxZstdWindow = 128 << 20       // what the kernel's build uses (zstd -22 --ultra)
	kernelChunk   = 1 << 20         // read at a time
	noteOverlap   = 16 + maxIDBytes // a note that two chunks share
)

// KernelBuildIDs are the GNU build ids in a kernel image: its own and those of what is embedded in it (vDSOs). They
// identify the build of a kernel that died before anybody could ask it. The image is x86's bzImage, an ELF file, or
// arm64's Image, plain or compressed by gzip, bzip2, zstd, or lz4 as kernels use it.
//
// Formats: Linux, Documentation/arch/x86/boot.rst (payload_offset, payload_length); the notes as in NotesBuildID.
func KernelBuildIDs(image io.ReaderAt) (ids []string, err error) {
	defer caught(&err, "read the kernel's image")
	packed, err := payload(image)
	if err != nil {
		return nil, fmt.Errorf("read the kernel's image: %w", err)
	}
	plain, done, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("unpack the kernel's image: %w", err)
	}
	defer done()
	ids, err = scanNotes(io.LimitReader(plain, maxKernel))
	switch {
	case len(ids) > 0:
		return ids, nil // bytes after the payload may be an error, which does not matter
	case err != nil:
		return nil, fmt.Errorf("unpack the kernel's image: %w", err)
	}
	return nil, fmt.Errorf("read the kernel's image: %w", errNoBuildID)
}

// payload is the part of the file that holds the kernel: all of it, but for a bzImage.
func payload(f io.ReaderAt) (io.Reader, error) {
	const (
		setupSects, magic, version, offset = 0x1f1, 0x202, 0x206, 0x248
		sector                             = 512
	)
	head := make([]byte, offset+8)
	if n, err := f.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	} else if n < len(head) || !bytes.Equal(head[magic:magic+4], []byte("HdrS")) {
		return io.NewSectionReader(f, 0, maxKernel), nil
	}
	order := binary.LittleEndian
	if order.Uint16(head[version:]) < 0x208 {
		return nil, errors.New("the bzImage is of a boot protocol before 2.08")
	}
	sectors := int64(head[setupSects])
	if sectors == 0 {
		sectors = 4
	}
	at := (sectors+1)*sector + int64(order.Uint32(head[offset:]))
	return io.NewSectionReader(f, at, int64(order.Uint32(head[offset+4:]))), nil
}

// unpack decompresses r if it begins like something compressed.
func unpack(r io.Reader) (plain io.Reader, done func(), err error) {
	head := make([]byte, 6)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, nil, err
	}
	head, done = head[:n], func() {}
	r = io.MultiReader(bytes.NewReader(head), r)
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(r)
		if err == nil {
			z.Multistream(false) // the unpacked size follows
		}
		return z, done, err
	case bytes.HasPrefix(head, []byte("BZh")):
		return bzip2.NewReader(r), done, nil
	case bytes.HasPrefix(head, []byte("\xfd7zXZ\x00")), bytes.HasPrefix(head, []byte{0x5d, 0, 0}), bytes.HasPrefix(
		head, []byte("\x89LZO"),
	):
		return nil, nil, errors.New("it is packed by xz with a filter, lzma or lzo, which are not read")
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(
			r, zstd.WithDecoderMaxMemory(maxKernel), zstd.WithDecoderMaxWindow(maxZstdWindow), zstd.WithDecoderConcurrency(1),
		)
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	case bytes.HasPrefix(head, lz4Magic()):
		return newLZ4(r), done, nil
	}
	return r, done, nil
}

// scanNotes finds the GNU build ids, wherever they stand: an Image has no sections.
func scanNotes(r io.Reader) (ids []string, err error) {
	owner := []byte("\x03\x00\x00\x00GNU\x00") // type and name, little-endian
	buf, kept := make([]byte, kernelChunk+noteOverlap), 0
	for {
		n, err := io.ReadFull(r, buf[kept:])
		b := buf[:kept+n]
		for at := 0; ; {
			i := bytes.Index(b[at:], owner)
			if i < 0 {
				break
			}
			at += i + len(owner)
			id := noteID(b, at)
			if id != "" && !slices.Contains(ids, id) && len(ids) < maxKernelIDs {
				ids = append(ids, id)
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return ids, nil
		case err != nil:
			return ids, err
		}
		kept = copy(buf, b[len(b)-noteOverlap:])
	}
}

// noteID is the build id of the note whose description begins at the offset.
func noteID(b []byte, at int) string {
	const sizes = 16 // from there back to the sizes of name and description
	if at < sizes || binary.LittleEndian.Uint32(b[at-sizes:]) != 4 {
		return ""
	}
	size := binary.LittleEndian.Uint32(b[at-sizes+4:])
	if size == 0 || size > maxIDBytes || at+int(size) > len(b) {
		return ""
	}
	return hex.EncodeToString(b[at : at+int(size)])
}
