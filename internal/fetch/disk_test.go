package fetch_test

import (
	"testing"

	"golang.org/x/sys/unix"
)

// fillable mounts a disk of 1 MiB at dir.
func fillable(t *testing.T, dir string) error {
	t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		return err
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return nil
}
