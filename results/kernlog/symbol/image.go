// Package symbol turns the frames of a kernel's stack trace into files and lines, with the vmlinux the kernel was
// linked as. It uses a file only for the kernel with the same build id: with another, lines are wrong, which is worse
// than none.
//
// Formats: ELF and its notes (System V ABI, gABI 4.1 chapter 5), build ids (ld --build-id, /sys/kernel/notes), DWARF 2
// to 5 as debug/dwarf reads them.
package symbol

import (
	"debug/dwarf"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
)

// maxImage is the largest file read. A distribution's vmlinux with debug information has 0.4 to 1 GB.
const maxImage = 2 << 30

// maxUnpacked bounds what is unpacked into memory, of an image whose sections are compressed; others are not copied.
const maxUnpacked = 1 << 30

// ErrOtherBuild says that an image is not that of the kernel.
var ErrOtherBuild = errors.New("the image has another build id than the kernel")

// Image is an open vmlinux. It is not safe for concurrent use.
type Image struct {
	file    *elf.File
	bytes   mapping // what dwarf reads
	buildID string
	symbols map[string][]elf.Symbol // functions, by name
	dwarf   *dwarf.Data
	units   []unit
	cache   map[uint64][]Location
}

// Open reads the symbols of the image at path. The image is the user's: a broken one is an error, whatever is wrong.
func Open(path string) (i *Image, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // of a file that gets shorter while it is mapped
	defer caught(&err, "read image %q", path)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open image: %w", err)
	}
	if info.Size() > maxImage || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open image %q: not a file of at most %d bytes", path, maxImage)
	}
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open image %q: %w", path, err)
	}
	i = &Image{file: f, symbols: map[string][]elf.Symbol{}, cache: map[uint64][]Location{}}
	opened := i
	defer func() {
		if err != nil {
			_ = opened.Close()
		}
	}()
	if err := checkSize(f); err != nil {
		return nil, fmt.Errorf("open image %q: %w", path, err)
	}
	if i.buildID, err = fileBuildID(f); err != nil {
		return nil, fmt.Errorf("read the build id of image %q: %w", path, err)
	}
	all, err := f.Symbols()
	if err != nil {
		return nil, fmt.Errorf("read the symbols of image %q: %w", path, err)
	}
	for _, s := range all {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && s.Section != elf.SHN_UNDEF {
			i.symbols[s.Name] = append(i.symbols[s.Name], s)
		}
	}
	if i.bytes, err = newMapping(path, info.Size()); err != nil {
		return nil, fmt.Errorf("open image %q: %w", path, err)
	}
	if i.dwarf, err = debugInfo(f, i.bytes); err != nil {
		return nil, fmt.Errorf("read the debug information of image %q: %w", path, err)
	}
	if err := i.index(); err != nil {
		return nil, fmt.Errorf("read the debug information of image %q: %w", path, err)
	}
	return i, nil
}

// checkSize refuses an image that would take too much memory, with its compressed sections unpacked.
func checkSize(f *elf.File) error {
	total, unpacked := uint64(0), uint64(0)
	for _, s := range f.Sections {
		if s.Type == elf.SHT_NOBITS {
			continue
		}
		if s.Flags&elf.SHF_COMPRESSED != 0 {
			if unpacked += s.Size; s.Size > maxUnpacked || unpacked > maxUnpacked {
				return fmt.Errorf("the compressed sections have more than %d bytes", maxUnpacked)
			}
		}
		if s.Size > maxImage {
			return fmt.Errorf("section %s has %d bytes", s.Name, s.Size)
		}
		if total += s.Size; total > 2*maxImage {
			return fmt.Errorf("the sections have more than %d bytes", total)
		}
	}
	return nil
}

// caught turns a panic over a malformed file into an error: package debug/dwarf does not promise to check everything.
func caught(err *error, format string, a ...any) {
	if r := recover(); r != nil {
		*err = fmt.Errorf(format+": malformed: %v", append(a, r)...)
	}
}

// Close closes the file. Nothing may be decoded any more.
func (i *Image) Close() error {
	i.dwarf = nil
	if err := errors.Join(i.bytes.close(), i.file.Close()); err != nil {
		return fmt.Errorf("close image: %w", err)
	}
	return nil
}

// BuildID is the image's build id, in lower-case hex.
func (i *Image) BuildID() string { return i.buildID }

// Check returns ErrOtherBuild unless the image has the kernel's build id.
func (i *Image) Check(kernel string) error {
	if kernel == "" || kernel != i.buildID {
		return fmt.Errorf("%w: %s, not %q", ErrOtherBuild, i.buildID, kernel)
	}
	return nil
}
