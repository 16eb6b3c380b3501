package overlay

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/u-root/u-root/pkg/cpio"
)

// newc is the format the kernel takes.
const newc = "newc"

// WriteCPIO writes the content as a newc archive, owned by root, with its trailer.
//
// Folders above the root are written only when the results folder is not at the top (LAVA's
// /data/local/tmp/lava-7): the kernel makes no missing parents, but sets an existing folder's mode to the archive's.
func (c *Content) WriteCPIO(w io.Writer) error {
	format, err := cpio.Format(newc)
	if err != nil {
		return fmt.Errorf("write overlay: %w", err)
	}
	rw, ino := format.Writer(w), uint64(0)
	for _, f := range slices.Concat(c.parents(), c.files) {
		ino++
		if err := writeRecord(rw, f, ino); err != nil {
			return fmt.Errorf("write overlay: %s: %w", f.Path, err)
		}
	}
	if err := cpio.WriteTrailer(rw); err != nil {
		return fmt.Errorf("write overlay: %w", err)
	}
	return nil
}

func writeRecord(w cpio.RecordWriter, f File, ino uint64) error {
	info := cpio.Info{Ino: ino, NLink: 1, MTime: uint64(fixedTime().Unix()), FileSize: uint64(f.Size), Name: f.Path}
	info.Mode = uint64(f.Mode.Perm())
	if f.Mode&fs.ModeSticky != 0 {
		info.Mode |= cpio.S_ISVTX
	}
	switch f.Mode.Type() {
	case fs.ModeDir:
		info.Mode, info.NLink = info.Mode|cpio.S_IFDIR, 2
		return w.WriteRecord(cpio.Record{Info: info})
	case fs.ModeSymlink:
		info.Mode |= cpio.S_IFLNK
		return w.WriteRecord(cpio.Record{Info: info, ReaderAt: strings.NewReader(f.Link)})
	}
	info.Mode |= cpio.S_IFREG
	r, err := f.Open()
	if err != nil {
		return err
	}
	return errors.Join(w.WriteRecord(cpio.Record{Info: info, ReaderAt: &forward{r: io.LimitReader(r, f.Size)}}), r.Close())
}

// forward lets a stream be read as cpio reads it: one time, from its beginning to its end.
type forward struct {
	r   io.Reader
	pos int64
}

func (f *forward) ReadAt(p []byte, off int64) (int, error) {
	if off != f.pos {
		return 0, fmt.Errorf("read at %d of a stream that stands at %d", off, f.pos)
	}
	n, err := f.r.Read(p)
	f.pos += int64(n)
	return n, err
}
