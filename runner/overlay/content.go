package overlay

import (
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
	"sort"
	"strings"
	"time"
)

// Content is a tree of files, sorted by path. They are read when it is written, so a large repository streams.
type Content struct {
	root  string // "/lava-7"
	files []File
}

// File is an entry of the tree: a folder, a regular file or a symbolic link.
type File struct {
	Path string      // without a leading slash
	Mode fs.FileMode // its type, its permissions and the sticky bit
	Size int64       // bytes
	Link string      // the target of a symbolic link
	Open func() (io.ReadCloser, error)
}

// fixedTime is the modification time of every file, so that equal specs give equal bytes. Not zero: make and tar
// warn about files from 1970.
func fixedTime() time.Time { return time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC) }

// Root is the folder in the target that holds all of the content, such as /lava-7.
func (c *Content) Root() string { return c.root }

// Files are the entries of the content, each folder before what is in it. Folders above the root are the target's, and
// not among them.
func (c *Content) Files() iter.Seq[File] { return slices.Values(c.files) }

// Paths lists every path of the content, absolute and sorted.
func (c *Content) Paths() []string {
	var paths []string
	for f := range c.Files() {
		paths = append(paths, "/"+f.Path)
	}
	return paths
}

// Size is the sum of the files' lengths in bytes.
func (c *Content) Size() int64 {
	var n int64
	for f := range c.Files() {
		n += f.Size
	}
	return n
}

// parents are the folders above the root, from the top, for images that may lack them.
func (c *Content) parents() []File {
	var dirs []File
	for p := path.Dir(strings.TrimPrefix(c.root, "/")); p != "."; p = path.Dir(p) {
		mode := fs.ModeDir | 0o755
		if path.Base(p) == "tmp" {
			mode = fs.ModeDir | fs.ModeSticky | 0o777
		}
		dirs = append([]File{{Path: p, Mode: mode}}, dirs...)
	}
	return dirs
}

// tree collects files below a root and makes their folders.
type tree struct {
	root  string // without the leading slash
	files map[string]File
}

func newTree(root string) *tree {
	t := &tree{root: strings.TrimPrefix(root, "/"), files: map[string]File{}}
	t.dir("")
	return t
}

// dir adds a folder and those above it, up to the root. Folders above the root belong to the target.
func (t *tree) dir(name string) {
	for p := path.Join(t.root, name); ; p = path.Dir(p) {
		t.files[p] = File{Path: p, Mode: fs.ModeDir | 0o755}
		if p == t.root {
			return
		}
	}
}

func (t *tree) put(f File) {
	t.dir(strings.TrimPrefix(path.Dir(f.Path), t.root))
	t.files[f.Path] = f
}

func (t *tree) text(name, content string, mode fs.FileMode) {
	t.put(File{Path: path.Join(t.root, name), Mode: mode, Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
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
		f := File{Path: path.Join(t.root, name, p), Mode: info.Mode().Perm() | 0o600}
		switch {
		case d.IsDir():
			t.dir(path.Join(name, p))
			return nil
		case info.Mode().Type() == fs.ModeSymlink:
			if f.Link, err = fs.ReadLink(from, p); err != nil {
				return fmt.Errorf("read test folder: %w", err)
			}
			f.Mode, f.Size = fs.ModeSymlink|0o777, int64(len(f.Link))
		case info.Mode().IsRegular():
			f.Size, f.Open = info.Size(), func() (io.ReadCloser, error) { return from.Open(p) }
		default:
			return fmt.Errorf("read test folder: %s is a %s, not a file", p, info.Mode().Type())
		}
		t.put(f)
		return nil
	})
}

func (t *tree) content() *Content {
	c := &Content{root: "/" + t.root}
	for _, f := range t.files {
		c.files = append(c.files, f)
	}
	sort.Slice(c.files, func(i, j int) bool { return c.files[i].Path < c.files[j].Path })
	return c
}
