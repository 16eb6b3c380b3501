package guest

import (
	"os/exec"
	"testing"
)

// Need skips a test that boots guests where it may not, in a short run, or cannot, without QEMU.
func Need(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("boots guests; not in short runs")
	}
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		tb.Skipf("%v (apt-get install qemu-system-x86)", err)
	}
}

// Images is the folder of the checkout with vmlinuz and ramdisk.cpio.gz, for a test that boots them: Need, then Make.
func Images(tb testing.TB) string {
	tb.Helper()
	Need(tb)
	dir, err := Dir()
	if err == nil {
		_, err = Make(tb.Context(), dir)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return dir
}
