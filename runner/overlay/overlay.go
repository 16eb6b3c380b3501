// Package overlay builds what LAVA calls the overlay: the tree rooted at /lava-<id>/ with the helper scripts, the
// environment and the test definitions, that is put into a target's root file system before it boots. It is written
// as a cpio archive, appended to a ramdisk, or as a tar archive.
//
// The helpers are ours, written from the strings that LAVA's parser knows. They print LAVA's signals byte for byte,
// each with a trailer of sequence number and checksum, and repeat all of them in a manifest at the end; package
// results/signal reads both. They are POSIX shell for busybox, dash and bash, and need cat, mkdir and rm beside the
// shell.
package overlay

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"sort"
	"strings"
	"time"
)

// Overlay is a tree of files, sorted by path. Contents are read when it is written, so a large repository streams.
type Overlay struct {
	root  string // "/lava-7"
	files []file
}

// file is an entry of the tree; its path has no leading slash.
type file struct {
	path string
	mode fs.FileMode
	size int64
	link string // of a symbolic link
	open func() (io.ReadCloser, error)
}

// fixedTime is the modification time of every file, so that equal specs give equal bytes. Not zero: make and tar
// warn about files from 1970.
func fixedTime() time.Time { return time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC) }

// Root is the overlay's folder in the target, such as /lava-7.
func (o *Overlay) Root() string { return o.root }

// Paths lists every path of the overlay, absolute and sorted.
func (o *Overlay) Paths() []string {
	var paths []string
	for _, f := range o.files {
		paths = append(paths, "/"+f.path)
	}
	return paths
}

// Size is the sum of the files' lengths in bytes.
func (o *Overlay) Size() int64 {
	var n int64
	for _, f := range o.files {
		n += f.size
	}
	return n
}

// tree collects files below a root and makes their folders.
type tree struct {
	root  string // without the leading slash
	files map[string]file
}

func newTree(root string) *tree {
	t := &tree{root: strings.TrimPrefix(root, "/"), files: map[string]file{}}
	t.dir("")
	return t
}

// dir adds a folder and those above it, up to the root. Folders above the root belong to the target.
func (t *tree) dir(name string) {
	for p := path.Join(t.root, name); ; p = path.Dir(p) {
		t.files[p] = file{path: p, mode: fs.ModeDir | 0o755}
		if p == t.root {
			return
		}
	}
}

func (t *tree) put(f file) {
	t.dir(strings.TrimPrefix(path.Dir(f.path), t.root))
	t.files[f.path] = f
}

func (t *tree) text(name, content string, mode fs.FileMode) {
	t.put(file{path: path.Join(t.root, name), mode: mode, size: int64(len(content)), open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(content)), nil
	}})
}

// copy adds a file system below name. Sockets, devices and pipes are refused: they have no place in a test's folder.
func (t *tree) copy(name string, from fs.FS) error {
	t.dir(name)
	return fs.WalkDir(from, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("read test folder: %w", err)
		}
		info, err := d.Info()
		if err != nil {
			return fmt.Errorf("read test folder: %w", err)
		}
		f := file{path: path.Join(t.root, name, p), mode: info.Mode().Perm() | 0o600}
		switch {
		case d.IsDir():
			t.dir(path.Join(name, p))
			return nil
		case info.Mode().Type() == fs.ModeSymlink:
			if f.link, err = fs.ReadLink(from, p); err != nil {
				return fmt.Errorf("read test folder: %w", err)
			}
			f.mode, f.size = fs.ModeSymlink|0o777, int64(len(f.link))
		case info.Mode().IsRegular():
			f.size, f.open = info.Size(), func() (io.ReadCloser, error) { return from.Open(p) }
		default:
			return fmt.Errorf("read test folder: %s is a %s, not a file", p, info.Mode().Type())
		}
		t.put(f)
		return nil
	})
}

func (t *tree) overlay() *Overlay {
	o := &Overlay{root: "/" + t.root}
	for _, f := range t.files {
		o.files = append(o.files, f)
	}
	sort.Slice(o.files, func(i, j int) bool { return o.files[i].path < o.files[j].path })
	return o
}
