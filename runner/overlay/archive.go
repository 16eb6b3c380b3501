package overlay

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/u-root/u-root/pkg/cpio"
)

// newc is the format the kernel takes.
const newc = "newc"

// WriteCPIO writes the overlay as a newc archive, owned by root, with its trailer.
//
// Folders above the overlay's own are written only when the results folder is not at the top (LAVA's
// /data/local/tmp/lava-7): the kernel makes no missing parents, but sets an existing folder's mode to the archive's.
func (o *Overlay) WriteCPIO(w io.Writer) error {
	format, err := cpio.Format(newc)
	if err != nil {
		return fmt.Errorf("write overlay: %w", err)
	}
	rw, ino := format.Writer(w), uint64(0)
	for _, f := range append(o.parents(), o.files...) {
		ino++
		if err := writeRecord(rw, f, ino); err != nil {
			return fmt.Errorf("write overlay: %s: %w", f.path, err)
		}
	}
	if err := cpio.WriteTrailer(rw); err != nil {
		return fmt.Errorf("write overlay: %w", err)
	}
	return nil
}

func (o *Overlay) parents() []file {
	var dirs []file
	for p := path.Dir(strings.TrimPrefix(o.root, "/")); p != "."; p = path.Dir(p) {
		mode := fs.ModeDir | 0o755
		if path.Base(p) == "tmp" {
			mode = fs.ModeDir | fs.ModeSticky | 0o777
		}
		dirs = append([]file{{path: p, mode: mode}}, dirs...)
	}
	return dirs
}

func writeRecord(w cpio.RecordWriter, f file, ino uint64) error {
	info := cpio.Info{Ino: ino, NLink: 1, MTime: uint64(fixedTime().Unix()), FileSize: uint64(f.size), Name: f.path}
	info.Mode = uint64(f.mode.Perm())
	if f.mode&fs.ModeSticky != 0 {
		info.Mode |= cpio.S_ISVTX
	}
	switch f.mode.Type() {
	case fs.ModeDir:
		info.Mode, info.NLink = info.Mode|cpio.S_IFDIR, 2
		return w.WriteRecord(cpio.Record{Info: info})
	case fs.ModeSymlink:
		info.Mode |= cpio.S_IFLNK
		return w.WriteRecord(cpio.Record{Info: info, ReaderAt: strings.NewReader(f.link)})
	}
	info.Mode |= cpio.S_IFREG
	r, err := f.open()
	if err != nil {
		return err
	}
	return errors.Join(w.WriteRecord(cpio.Record{Info: info, ReaderAt: &forward{r: io.LimitReader(r, f.size)}}), r.Close())
}

// forward lets a stream be read as cpio reads it: from its beginning to its end, once.
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

// WriteTar writes the overlay as a tar archive, owned by root, without the folders above its own.
func (o *Overlay) WriteTar(w io.Writer) error {
	tw := tar.NewWriter(w)
	for _, f := range o.files {
		if err := writeEntry(tw, f); err != nil {
			return fmt.Errorf("write overlay: %s: %w", f.path, err)
		}
	}
	if err := tw.Close(); err != nil {
		return fmt.Errorf("write overlay: %w", err)
	}
	return nil
}

func writeEntry(w *tar.Writer, f file) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: f.path, Mode: int64(f.mode.Perm()), Size: f.size, ModTime: fixedTime()}
	switch f.mode.Type() {
	case fs.ModeDir:
		h.Typeflag, h.Name = tar.TypeDir, f.path+"/"
	case fs.ModeSymlink:
		h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, f.link, 0
	}
	if err := w.WriteHeader(h); err != nil || h.Typeflag != tar.TypeReg {
		return err
	}
	r, err := f.open()
	if err != nil {
		return err
	}
	_, err = io.Copy(w, io.LimitReader(r, f.size))
	return errors.Join(err, r.Close())
}
