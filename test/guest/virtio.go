package guest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/u-root/u-root/pkg/cpio"
	"github.com/ulikunitz/xz"
)

// virtioModules are what a results port needs, in the order they are loaded. A kernel may have some built in.
func virtioModules() []string {
	return []string{"virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_console"}
}

// MakeVirtio is Make with a ramdisk that loads the drivers of virtio ports before its shell starts, from /modules.
func MakeVirtio(ctx context.Context, dir string) (Files, error) {
	f, err := Make(ctx, dir)
	if err != nil {
		return f, err
	}
	f.Ramdisk = filepath.Join(dir, "ramdisk-virtio.cpio.gz")
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return f, err
	}
	defer unlock()
	modules := filepath.Join(dir, "modules")
	if _, err := os.Stat(modules); err != nil { // a kernel without its modules: both anew, from one package
		ctx, cancel := context.WithTimeoutCause(ctx, makeTimeout, fmt.Errorf("not made after %s", makeTimeout))
		defer cancel()
		if err := kernel(ctx, f.Kernel); err != nil {
			return f, fmt.Errorf("make a kernel: %w", err)
		}
	}
	records := []cpio.Record{cpio.Directory("modules", 0o755)}
	load := &strings.Builder{}
	for _, name := range virtioModules() {
		b, err := os.ReadFile(filepath.Join(modules, name+".ko"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return f, fmt.Errorf("make a ramdisk: %w", err)
		}
		records = append(records, cpio.StaticFile("modules/"+name+".ko", string(b), 0o644))
		fmt.Fprintf(load, "insmod /modules/%s.ko\n", name)
	}
	if err := ramdisk(f.Ramdisk, load.String(), records...); err != nil {
		return f, fmt.Errorf("make a ramdisk: %w", err)
	}
	return f, nil
}

// keepModules copies the modules of virtio ports out of an unpacked kernel package, whole or not at all.
func keepModules(root, to string) error {
	tmp, err := os.MkdirTemp(filepath.Dir(to), "modules-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	err = filepath.WalkDir(filepath.Join(root, "lib", "modules"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		for _, name := range virtioModules() {
			switch d.Name() {
			case name + ".ko", name + ".ko.xz":
				return keepModule(path, filepath.Join(tmp, name+".ko"))
			}
		}
		return nil
	})
	if err == nil {
		err = errors.Join(os.Chmod(tmp, 0o755), os.RemoveAll(to), os.Rename(tmp, to))
	}
	return err
}

func keepModule(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	var r io.Reader = f
	if filepath.Ext(from) == ".xz" {
		if r, err = xz.NewReader(f); err != nil {
			return fmt.Errorf("unpack %s: %w", from, err)
		}
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", from, err)
	}
	return os.WriteFile(to, b, 0o644)
}
