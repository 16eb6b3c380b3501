package overlay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"

	"github.com/gantry-ci/gantry/results"
)

// ext4 is the sink of file systems of the ext family, by debugfs of e2fsprogs: nothing is mounted, so no right is
// needed for it, and no hostile file system reaches this host's kernel. It reaches debugfs, which runs as nobody where
// the runner is root. The image is changed in place.
func ext4(ctx context.Context, content []*Content, into Image) (Result, error) {
	for _, c := range content {
		if err := writeExt4(ctx, c, into.Path); err != nil {
			return Result{}, fmt.Errorf("write overlay into %s: %w", into.Path, err)
		}
	}
	return Result{Path: into.Path, How: "written into the ext4 file system"}, nil
}

func writeExt4(ctx context.Context, c *Content, image string) (err error) {
	d, err := newDebugfs(image)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	files := append(c.parents(), c.files...)
	types, err := d.types(ctx, files)
	if err != nil {
		return err
	}
	var script strings.Builder
	for i, f := range files {
		if err := d.add(&script, strconv.Itoa(i), f, types[f.Path]); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	complaints, err := d.run(ctx, script.String(), func(string) {}, "-w")
	if err == nil && len(complaints) > 0 {
		err = results.Failf(results.ClassJob, "debugfs: %s", complaints[0])
	}
	return err
}

// add adds the commands that make one file. Present is the type of what the image has at its path; "" for nothing.
func (d *debugfs) add(script *strings.Builder, spooled string, f File, present string) error {
	if f.Mode.IsDir() != (present == "directory") && present != "" {
		return results.Failf(results.ClassJob, "the image has a %s there", present)
	}
	dir, err := debugfsWord("/" + path.Dir(f.Path) + "/.")
	if err != nil {
		return err
	}
	name, err := debugfsWord(path.Base(f.Path))
	if err != nil {
		return err
	}
	mode := f.Mode.Perm()
	fmt.Fprintf(script, "cd %s\n", dir)
	if present != "" && !f.Mode.IsDir() {
		fmt.Fprintf(script, "rm %s\n", name)
	}
	switch f.Mode.Type() {
	case fs.ModeDir:
		if present != "" {
			return nil
		}
		sticky := uint32(0)
		if f.Mode&fs.ModeSticky != 0 {
			sticky = syscall.S_ISVTX
		}
		fmt.Fprintf(script, "mkdir %s\nsif %s mode 0%o\n", name, name, syscall.S_IFDIR|sticky|uint32(mode))
	case fs.ModeSymlink:
		link, err := debugfsWord(f.Link)
		if err != nil {
			return err
		}
		fmt.Fprintf(script, "symlink %s %s\n", name, link)
	default:
		if err := d.put(spooled, f); err != nil {
			return err
		}
		fmt.Fprintf(
			script, "write %s/%s %s\nsif %s mode 0%o\n", debugfsSpool, spooled, name, name, syscall.S_IFREG|uint32(mode),
		)
	}
	fmt.Fprintf(script, "sif %s mtime @%d\n", name, fixedTime().Unix())
	return nil
}

// put writes a file for debugfs to copy.
func (d *debugfs) put(name string, f File) error {
	from, err := f.Open()
	if err != nil {
		return err
	}
	to, err := d.spool.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return errors.Join(err, from.Close())
	}
	_, err = io.Copy(to, io.LimitReader(from, f.Size))
	return errors.Join(err, to.Close(), from.Close())
}
