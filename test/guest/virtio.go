package guest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/u-root/u-root/pkg/cpio"
	"github.com/ulikunitz/xz"
)

// portModules are what a results port needs, netModules what a network card does, in the order they are loaded. A
// kernel may have some built in.
func portModules() []string {
	return []string{
		"virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_console",
	}
}

func netModules() []string { return append(portModules(), "failover", "net_failover", "virtio_net") }

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
	load, records, err := modules(ctx, f.Kernel, portModules())
	if err != nil {
		return f, err
	}
	if err := ramdisk(f.Ramdisk, load, records...); err != nil {
		return f, fmt.Errorf("make a ramdisk: %w", err)
	}
	return f, nil
}

// modules are the kernel's modules of those names as files of a ramdisk, and the commands that load them. It is called
// with the folder's lock held.
func modules(ctx context.Context, kernelFile string, names []string) (load string, files []cpio.Record, err error) {
	dir := filepath.Join(filepath.Dir(kernelFile), "modules")
	if _, err := os.Stat(filepath.Join(
		dir, names[len(names)-1]+".ko",
	)); err != nil { // a kernel without them: both anew, from one package
		ctx, cancel := context.WithTimeoutCause(ctx, makeTimeout, fmt.Errorf("not made after %s", makeTimeout))
		defer cancel()
		if err := kernel(ctx, kernelFile); err != nil {
			return "", nil, fmt.Errorf("make a kernel: %w", err)
		}
	}
	files = append(files, cpio.Directory("modules", 0o755))
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(dir, name+".ko"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, fmt.Errorf("make a ramdisk: %w", err)
		}
		files = append(files, cpio.StaticFile("modules/"+name+".ko", string(b), 0o644))
		load += fmt.Sprintf("insmod /modules/%s.ko\n", name)
	}
	return load, files, nil
}

// keepModules copies the modules of virtio devices out of an unpacked kernel package, whole or not at all.
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
		for _, name := range netModules() {
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
