package overlay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/u-root/u-root/pkg/cpio"
)

// bootTimeout is for a whole boot of an emulated machine, with others beside it.
const bootTimeout = 2 * time.Minute

// initScript mounts what a shell wants, does what the runner would type, and powers off.
const initScript = `#!/bin/sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t tmpfs tmp /tmp
stty -onlcr </dev/console
ls -ld / /lava-7
export SHELL=/bin/sh
. /lava-7/environment
/lava-7/bin/lava-test-runner /lava-7/0
poweroff -f
`

// kernel is the cached kernel that the demo and the tests boot.
func kernel(t *testing.T) string {
	t.Helper()
	p, err := filepath.Abs("../../.cache/guest/vmlinuz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(p); err != nil {
		t.Skip("no kernel in .cache/guest: make test puts one there")
	}
	return p
}

// minimal writes a ramdisk of busybox and initScript, its root folder with an odd mode.
func minimal(t *testing.T, to string) {
	t.Helper()
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Skip("no busybox here")
	}
	var b bytes.Buffer
	format, err := cpio.Format(newc)
	if err != nil {
		t.Fatal(err)
	}
	w := format.Writer(&b)
	err = cpio.WriteRecords(w, []cpio.Record{
		cpio.Directory(".", 0o711), cpio.Directory("bin", 0o755), cpio.Directory("dev", 0o755), cpio.Directory("proc", 0o755),
		cpio.Directory("tmp", 0o755), cpio.CharDev("dev/console", 0o600, 5, 1),
		cpio.StaticFile("bin/busybox", string(busybox), 0o755), cpio.Symlink("bin/sh", "busybox"),
		cpio.StaticFile("init", initScript, 0o755),
	})
	if err := errors.Join(err, cpio.WriteTrailer(w), os.WriteFile(to, b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// boot runs the kernel with the ramdisk until it powers off, and returns the serial console's bytes.
func boot(t *testing.T, kernel, ramdisk string, more ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bootTimeout)
	defer cancel()
	args := append([]string{
		"-M", "q35", "-accel", "tcg", "-cpu", "max", "-m", "512", "-nographic", "-nodefaults",
		"-serial", "stdio", "-no-reboot", "-kernel", kernel, "-initrd", ramdisk,
		"-append", "console=ttyS0 no_timer_check panic=-1",
	}, more...)
	out, err := exec.CommandContext(ctx, "qemu-system-x86_64", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("boot: %v\n%s", err, out)
	}
	return string(out)
}

// TestKernelTakesAppendedOverlay boots each kind of ramdisk with the overlay after it, and runs a stage.
func TestKernelTakesAppendedOverlay(t *testing.T) {
	if testing.Short() {
		t.Skip("boots emulated machines")
	}
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		t.Skip("no qemu-system-x86_64 here")
	}
	vmlinuz := kernel(t)
	for _, f := range []struct {
		format   Format
		compress []string
	}{
		{FormatCPIO, []string{"cat"}},
		{FormatGzip, []string{"gzip", "-c"}},
		{FormatXZ, []string{"xz", "-c", "--check=crc32"}},
		{FormatZstd, []string{"zstd", "-q", "-c"}},
		{FormatLZ4, []string{"lz4", "-q", "-l", "-c"}},
		{FormatLZMA, []string{"lzma", "-c"}},
		{FormatBzip2, []string{"bzip2", "-c"}},
		{FormatLZO, []string{"lzop", "-c"}},
	} {
		t.Run(string(f.format), func(t *testing.T) {
			if _, err := exec.LookPath(f.compress[0]); err != nil {
				t.Skipf("no %s here", f.compress[0])
			}
			dir := t.TempDir()
			plain, src, dst := filepath.Join(dir, "plain"), filepath.Join(dir, "src"), filepath.Join(dir, "dst")
			minimal(t, plain)
			packed, err := exec.CommandContext(t.Context(), f.compress[0], append(f.compress[1:], plain)...).Output()
			// A length that is no multiple of four makes the padding matter.
			if err := errors.Join(err, os.WriteFile(src, packed, 0o600)); err != nil {
				t.Fatal(err)
			}
			o, err := Build(&Spec{ID: "7", Stages: []Stage{{Definitions: []Definition{{
				Name: "smoke", UUID: "7_1.1.3.1", Steps: []string{"lava-test-case a --shell true", "lava-test-case b --result fail"},
			}, {
				Name: "kmsg", Index: 1, UUID: "7_1.1.3.2", Signal: SignalKmsg, Steps: []string{"lava-test-case c --result pass"},
			}}}}})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := AppendCPIO(dst, src, o); err != nil || got != f.format {
				t.Fatalf("format %q, error %v", got, err)
			}
			out := boot(t, vmlinuz, dst)
			got, sum := read(out)
			if want := "0_smoke/a=pass 0_smoke/b=fail lava/0_smoke=pass 1_kmsg/c=pass lava/1_kmsg=pass"; strings.Join(
				got, " ",
			) != want || !sum.Complete() {
				t.Errorf("cases %q, summary %+v\n%s", got, sum, out)
			}
			if !strings.Contains(out, "drwx--x--x") {
				t.Errorf("the root folder's mode is not the ramdisk's:\n%s", out)
			}
			t.Logf("summary %+v", sum)
		})
	}
}

// TestKernelMessagesSplitSignals boots a guest whose kernel prints all the time while a test reports, and counts what a
// plain search for LAVA's signals finds beside what the parser finds.
func TestKernelMessagesSplitSignals(t *testing.T) {
	if testing.Short() {
		t.Skip("boots an emulated machine")
	}
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		t.Skip("no qemu-system-x86_64 here")
	}
	const cases = 60
	vmlinuz, dir := kernel(t), t.TempDir()
	plain, dst := filepath.Join(dir, "plain"), filepath.Join(dir, "dst")
	minimal(t, plain)
	o, err := Build(&Spec{ID: "7", Stages: []Stage{{Definitions: []Definition{{
		Name: "noisy", UUID: "7_1.1.3.1", Steps: []string{
			"{ set +x; } 2>/dev/null", "echo on >/proc/sys/kernel/printk_devkmsg",
			"(while echo '<4>noise: a message of the kernel, longer than a FIFO' >/dev/kmsg; do :; done) & noise=$!",
			fmt.Sprintf("i=0; while [ $i -lt %d ]; do i=$((i + 1)); lava-test-case case-$i --result pass; done", cases),
			"kill $noise",
		},
	}}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := AppendCPIO(dst, plain, o); err != nil {
		t.Fatal(err)
	}
	out := boot(t, vmlinuz, dst, "-smp", "2")
	got, sum := read(out)
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`<LAVA_SIGNAL_(\S+) ([^>]+)>`).FindAllStringSubmatch(out, -1) {
		if m[1] == "TESTCASE" && regexp.MustCompile(`^TEST_CASE_ID=case-\d+ RESULT=pass$`).MatchString(m[2]) {
			found[m[2]] = true
		}
	}
	t.Logf("of %d cases, LAVA's pattern finds %d, the parser %d; summary %+v", cases, len(found), len(got)-1, sum)
	if len(got) != cases+1 || !sum.Complete() {
		t.Errorf("cases %q\n%s", got, out)
	}
}
