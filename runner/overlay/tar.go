package overlay

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/gantry-ci/gantry/results"
)

// tarball is the sink of root file systems in tar archives: the archive's end is replaced by the content's entries, so
// that nothing is read twice and nothing of the archive is written anew. What unpacks it makes the folders above.
func tarball(_ context.Context, content []*Content, into Image) (res Result, err error) {
	f, err := os.OpenFile(into.Path, os.O_RDWR, 0)
	if err != nil {
		return Result{}, fmt.Errorf("add overlay: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	end, err := tarEnd(f)
	if err != nil {
		return Result{}, results.Failf(results.ClassJob, "add overlay: %s is no tar archive: %w", into.Path, err)
	}
	if err := f.Truncate(end); err != nil {
		return Result{}, fmt.Errorf("add overlay: %w", err)
	}
	if _, err := f.Seek(end, io.SeekStart); err != nil {
		return Result{}, fmt.Errorf("add overlay: %w", err)
	}
	w := tar.NewWriter(f)
	for _, c := range content {
		if err := c.entries(w); err != nil {
			return Result{}, err
		}
	}
	if err := w.Close(); err != nil {
		return Result{}, fmt.Errorf("add overlay: %w", err)
	}
	return Result{Path: into.Path, How: "added to the tar archive"}, nil
}

// tarBlock is what headers and contents of a tar archive are multiples of.
const tarBlock = 512

// tarEnd is where the last entry of an archive ends, and its trailer begins.
func tarEnd(f io.Reader) (end int64, err error) {
	count := &counter{r: f}
	r := tar.NewReader(count)
	for {
		_, err := r.Next()
		if errors.Is(err, io.EOF) && (end > 0 || count.n > 0) { // one without entries has a trailer, at least
			return end, nil
		}
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		if err != nil {
			return 0, err
		}
		end = (count.n + tarBlock - 1) / tarBlock * tarBlock
	}
}

// counter counts what is read. It has no Seek, so that the tar reader skips nothing.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *Content) entries(w *tar.Writer) error {
	for f := range c.Files() {
		if err := writeEntry(w, f); err != nil {
			return fmt.Errorf("write overlay: %s: %w", f.Path, err)
		}
	}
	return nil
}

func writeEntry(w *tar.Writer, f File) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: f.Path, Mode: int64(f.Mode.Perm()), Size: f.Size, ModTime: fixedTime()}
	switch f.Mode.Type() {
	case fs.ModeDir:
		h.Typeflag, h.Name = tar.TypeDir, f.Path+"/"
	case fs.ModeSymlink:
		h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, f.Link, 0
	}
	if err := w.WriteHeader(h); err != nil || h.Typeflag != tar.TypeReg {
		return err
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	_, err = io.Copy(w, io.LimitReader(r, f.Size))
	return errors.Join(err, r.Close())
}
