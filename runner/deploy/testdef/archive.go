package testdef

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/gantry-ci/gantry/internal/fetch"
	"github.com/gantry-ci/gantry/results"
)

// archive downloads a tar archive and unpacks it; a file that is none is put into the folder as it is.
func (f *Fetcher) archive(ctx context.Context, s *Source, dir string) (err error) {
	tmp := dir + ".download"
	defer func() {
		if e := os.Remove(tmp); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}()
	fetcher := fetch.Fetcher{Policy: f.Policy}
	if _, err := fetcher.To(
		ctx, fetch.Request{URL: s.URL, Headers: s.Headers, Compression: s.Compression, Limit: maxTree}, tmp,
	); err != nil {
		return err
	}
	in, err := os.Open(tmp)
	if err != nil {
		return results.Blame(results.ClassInfrastructure, err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return results.Blame(results.ClassInfrastructure, err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	r := bufio.NewReaderSize(in, tarBlock)
	if head, _ := r.Peek(tarBlock); !isTar(head) {
		u := unpacker{root: root}
		return u.file(local(s.Name), 0o644, r)
	}
	u := unpacker{root: root, strip: s.StripComponents}
	return u.all(ctx, tar.NewReader(r))
}

// tarBlock is the size of a tar archive's header, and its magic is at 257: tar(5).
const tarBlock = 512

func isTar(head []byte) bool {
	return len(head) == tarBlock && bytes.HasPrefix(head[257:], []byte("ustar"))
}

// unpacker writes a hostile archive. Nothing it writes can be outside of its root, whatever links the archive makes.
type unpacker struct {
	root  *os.Root
	strip int
	size  int64
	files int
}

func (u *unpacker) all(ctx context.Context, t *tar.Reader) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
		if err := u.entry(h, t); err != nil {
			return fmt.Errorf("unpack %q: %w", h.Name, err)
		}
	}
}

func (u *unpacker) entry(h *tar.Header, r io.Reader) error {
	name := u.stripped(h.Name)
	if name == "" {
		return nil
	}
	if !filepath.IsLocal(name) {
		return results.Failf(results.ClassJob, "its path leads out of the archive")
	}
	u.files++
	if err := within(u.size, u.files); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return u.root.MkdirAll(name, 0o755)
	case tar.TypeReg:
		return u.file(name, h.FileInfo().Mode().Perm()|0o600, r)
	case tar.TypeSymlink:
		if err := u.parent(name); err != nil {
			return err
		}
		return u.root.Symlink(h.Linkname, name)
	case tar.TypeLink:
		if err := u.parent(name); err != nil {
			return err
		}
		return u.root.Link(u.stripped(h.Linkname), name)
	case tar.TypeXGlobalHeader:
		return nil // git-archive's: the commit's id
	}
	return results.Failf(results.ClassJob, "it is neither a file, a folder nor a link")
}

func (u *unpacker) parent(name string) error {
	if dir := path.Dir(name); dir != "." {
		return u.root.MkdirAll(dir, 0o755)
	}
	return nil
}

// file writes a new file: an archive that has a path twice cannot write through a link.
func (u *unpacker) file(name string, mode fs.FileMode, r io.Reader) error {
	if err := u.parent(name); err != nil {
		return err
	}
	if err := u.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(r, maxTree-u.size+1))
	u.size += n
	return errors.Join(err, f.Close(), within(u.size, u.files))
}

// stripped is a path without the leading folders that are to be left out; "" when nothing is left of it.
func (u *unpacker) stripped(name string) string {
	name = local(name)
	for range u.strip {
		_, rest, ok := strings.Cut(name, "/")
		if !ok {
			return ""
		}
		name = rest
	}
	if name == "." {
		return ""
	}
	return name
}

// local makes a path of an archive relative: a leading "/" or "./" means nothing in one.
func local(name string) string { return strings.TrimLeft(path.Clean(name), "/") }
