package guest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Module returns a module of the kernel in dir, by its path below /lib/modules/VERSION, and fetches it first where it
// is missing.
func Module(ctx context.Context, dir, path string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, makeTimeout, fmt.Errorf("not made after %s", makeTimeout))
	defer cancel()
	version, err := version(filepath.Join(dir, "vmlinuz"))
	if err != nil {
		return "", err
	}
	to := filepath.Join(dir, version+"-"+filepath.Base(path))
	if _, err := os.Stat(to); err == nil {
		return to, nil
	}
	tmp, err := os.MkdirTemp(dir, "module-*")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if _, err := run(ctx, tmp, "apt-get", "-q", "download", "linux-image-"+version); err != nil {
		return "", err
	}
	debs, err := filepath.Glob(filepath.Join(tmp, "*.deb"))
	if err != nil || len(debs) != 1 {
		return "", fmt.Errorf("unpack the kernel %s: %d packages, %w", version, len(debs), err)
	}
	if _, err := run(ctx, tmp, "dpkg-deb", "-x", debs[0], "root"); err != nil {
		return "", err
	}
	return to, os.Rename(filepath.Join(tmp, "root", "lib", "modules", version, path), to)
}

// version reads a bzImage's: Linux's Documentation/arch/x86/boot.rst, kernel_version.
func version(kernel string) (string, error) {
	b, err := os.ReadFile(kernel)
	if err != nil {
		return "", err
	}
	const field, setup = 0x20e, 0x200
	if len(b) < 1<<16 || !bytes.Equal(b[0x202:0x206], []byte("HdrS")) {
		return "", errors.New("read the kernel's version: no bzImage")
	}
	at := int(binary.LittleEndian.Uint16(b[field:])) + setup
	text, _, _ := bytes.Cut(b[at:], []byte(" "))
	return string(text), nil
}
