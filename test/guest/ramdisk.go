package guest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/klauspost/compress/gzip"
	"github.com/u-root/u-root/pkg/cpio"
)

// busybox is Debian's busybox-static.
const busybox = "/bin/busybox"

// initScript mounts what a shell needs, does what comes in its place, and puts one on the first serial line.
const initScript = `#!/bin/sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /tmp /root
mount -t devpts devpts /dev/pts
hostname gantry
%sexport HOME=/root TERM=vt102 PS1='gantry:\w# '
cd /root
while :; do setsid sh -c 'exec sh -i </dev/ttyS0 >/dev/ttyS0 2>&1'; done
`

// ramdisk writes a cpio of busybox, init, which runs the commands of more before its shell, and files. One that is of
// the same stays.
func ramdisk(to, more string, files ...cpio.Record) error {
	bin, err := os.ReadFile(busybox)
	if err != nil {
		return fmt.Errorf("%w (apt-get install busybox-static)", err)
	}
	records := append([]cpio.Record{
		cpio.Directory("bin", 0o755), cpio.Directory("dev", 0o755), cpio.Directory("proc", 0o755),
		cpio.Directory("sys", 0o755), cpio.Directory("root", 0o755), cpio.Directory("tmp", 0o1777),
		cpio.CharDev("dev/console", 0o600, 5, 1),
		cpio.StaticFile("bin/busybox", string(bin), 0o755),
		cpio.Symlink("bin/sh", "busybox"),
		cpio.StaticFile("init", fmt.Sprintf(initScript, more), 0o755),
	}, files...)
	sum := sha256.New()
	if err := archive(sum, records); err != nil {
		return err
	}
	of := []byte(hex.EncodeToString(sum.Sum(nil)) + "\n")
	if _, err := os.Stat(to); err == nil {
		if was, err := os.ReadFile(to + ".sum"); err == nil && bytes.Equal(was, of) {
			return nil
		}
	}
	tmp, err := os.CreateTemp(filepath.Dir(to), "ramdisk-*")
	if err != nil {
		return err
	}
	z := gzip.NewWriter(tmp)
	err = archive(z, records)
	if err = errors.Join(err, z.Close(), tmp.Chmod(0o644), tmp.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	if err := os.Rename(tmp.Name(), to); err != nil {
		return err
	}
	return os.WriteFile(to+".sum", of, 0o644)
}

func archive(w io.Writer, records []cpio.Record) error {
	c := cpio.Newc.Writer(w)
	if err := cpio.WriteRecords(c, records); err != nil {
		return err
	}
	return cpio.WriteTrailer(c)
}

// lock keeps two test binaries from making the same files at once.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}
