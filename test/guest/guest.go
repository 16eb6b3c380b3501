// Package guest makes what the tests and the demo boot: Debian's own kernel and a ramdisk of busybox. Both are cached
// in a folder of the checkout and committed nowhere.
package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Files are a bootable pair.
type Files struct{ Kernel, Ramdisk string }

// Dir is the cache of the checkout that the working directory is in.
func Dir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, ".cache", "guest"), nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("find the checkout: no go.mod above the working directory")
		}
	}
}

// makeTimeout is for a slow mirror: the kernel's package is 60 MB.
const makeTimeout = 10 * time.Minute

// Make returns the files in dir, and makes them first where they are missing.
func Make(ctx context.Context, dir string) (Files, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, makeTimeout, fmt.Errorf("not made after %s", makeTimeout))
	defer cancel()
	f := Files{filepath.Join(dir, "vmlinuz"), filepath.Join(dir, "ramdisk.cpio.gz")}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return f, err
	}
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return f, err
	}
	defer unlock()
	if _, err := os.Stat(f.Kernel); err != nil {
		if err := kernel(ctx, f.Kernel); err != nil {
			return f, fmt.Errorf("make a kernel: %w", err)
		}
	}
	if err := ramdisk(f.Ramdisk, ""); err != nil {
		return f, fmt.Errorf("make a ramdisk: %w", err)
	}
	return f, nil
}

// kernel unpacks the kernel, and a few of its modules beside it, of Debian's newest cloud image package; nothing is
// installed.
func kernel(ctx context.Context, to string) error {
	tmp, err := os.MkdirTemp(filepath.Dir(to), "kernel-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	// _apt, which fetches, may not be able to write here; root then does, with a warning.
	pkg, err := newest(ctx)
	if err != nil {
		return err
	}
	if _, err := run(ctx, tmp, "apt-get", "-q", "download", pkg); err != nil {
		return err
	}
	debs, err := filepath.Glob(filepath.Join(tmp, "*.deb"))
	if err != nil || len(debs) != 1 {
		return fmt.Errorf("unpack %s: %d packages, %w", pkg, len(debs), err)
	}
	if _, err := run(ctx, tmp, "dpkg-deb", "-x", debs[0], "root"); err != nil {
		return err
	}
	images, err := filepath.Glob(filepath.Join(tmp, "root", "boot", "vmlinuz-*"))
	if err != nil || len(images) != 1 {
		return fmt.Errorf("find the kernel in %s: %d files, %w", pkg, len(images), err)
	}
	err = keepModules(filepath.Join(tmp, "root"), filepath.Join(filepath.Dir(to), "modules"))
	return errors.Join(err, os.Rename(images[0], to))
}

// newest is the package that the meta package stands for.
func newest(ctx context.Context) (string, error) {
	out, err := run(ctx, "", "apt-cache", "depends", "--important", "linux-image-cloud-amd64")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "Depends: linux-image-"); ok {
			return "linux-image-" + name, nil
		}
	}
	return "", fmt.Errorf("find Debian's cloud kernel: apt-cache names none in %q; is apt-get update needed?", out)
}

func run(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var errText strings.Builder
	cmd.Stderr = &errText
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(errText.String()))
	}
	return string(out), nil
}
