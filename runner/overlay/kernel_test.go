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
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/u-root/u-root/pkg/cpio"
)

// bootTimeout is for a whole boot of an emulated machine, with others beside it.
const bootTimeout = 2 * time.Minute

// initScript mounts what a shell wants, does what the runner would type for each overlay, and powers off.
const initScript = `#!/bin/sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t tmpfs tmp /tmp
stty -onlcr </dev/console
for id in $(cat /overlays); do
	echo "begin $id"
	export SHELL=/$id/sh
	. /lava-$id/environment
	/lava-$id/bin/lava-test-runner /lava-$id/0
	head -c $(stat -c %s /$id/payload) /bin/busybox | cmp - /$id/payload && echo "whole"
	echo "end $id"
done
ls -ld /
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

// archive is a cpio archive of these records.
func archive(t *testing.T, records ...cpio.Record) []byte {
	t.Helper()
	var b bytes.Buffer
	format, err := cpio.Format(newc)
	if err != nil {
		t.Fatal(err)
	}
	w := format.Writer(&b)
	if err := errors.Join(cpio.WriteRecords(w, records), cpio.WriteTrailer(w)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// minimal is a ramdisk of busybox and initScript, its root folder with an odd mode.
func minimal(t *testing.T, busybox string, overlays []string) []byte {
	t.Helper()
	return archive(t,
		cpio.Directory(".", 0o711), cpio.Directory("bin", 0o755), cpio.Directory("dev", 0o755), cpio.Directory("proc", 0o755),
		cpio.Directory("tmp", 0o755), cpio.CharDev("dev/console", 0o600, 5, 1),
		cpio.StaticFile("bin/busybox", busybox, 0o755), cpio.Symlink("bin/sh", "busybox"),
		cpio.StaticFile("init", initScript, 0o755), cpio.StaticFile("overlays", strings.Join(overlays, " "), 0o644),
	)
}

// appended compresses a ramdisk and appends the overlay of a spec to it. The ramdisk has the shell of the overlay's
// scripts: they run only when the kernel unpacked both.
func appended(t *testing.T, ramdisk []byte, compress []string, want Format, s *Spec) []byte {
	t.Helper()
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
	cmd := exec.CommandContext(t.Context(), compress[0], compress[1:]...)
	cmd.Stdin = bytes.NewReader(ramdisk)
	packed, err := cmd.Output()
	// A length that is no multiple of four makes the padding matter.
	if err := errors.Join(err, os.WriteFile(src, packed, 0o600)); err != nil {
		t.Fatal(err)
	}
	s.Shell = "/" + s.ID + "/sh"
	o, err := Build(s)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := AppendCPIO(dst, src, o); err != nil || got != want {
		t.Fatalf("format %q, error %v", got, err)
	}
	b, err := os.ReadFile(dst)
	if err != nil {
		t.Fatal(err)
	}
	return append(b, make([]byte, (align-len(b)%align)%align)...)
}

// boot runs the kernel with the ramdisk until it powers off, and returns the serial console's bytes.
func boot(t *testing.T, kernel, ramdisk string, more ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bootTimeout)
	defer cancel()
	args := append([]string{
		"-M", "q35", "-accel", "tcg", "-cpu", "max", "-m", "512", "-nographic", "-nodefaults",
		"-serial", "stdio", "-no-reboot", "-kernel", kernel, "-initrd", ramdisk,
		"-append", "console=ttyS0 rcupdate.rcu_cpu_stall_timeout=300 watchdog_thresh=60 no_timer_check panic=-1",
	}, more...)
	out, err := exec.CommandContext(ctx, "qemu-system-x86_64", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("boot: %v\n%s", err, out)
	}
	return string(out)
}

// TestKernel boots one guest. Its ramdisk is a chain: for each format one of that format with an overlay appended, and
// before them the one that the guest starts from.
func TestKernel(t *testing.T) {
	if testing.Short() {
		t.Skip("boots an emulated machine")
	}
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		t.Skip("no qemu-system-x86_64 here")
	}
	vmlinuz := kernel(t)
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Skip("no busybox here")
	}
	var ids []string
	var chain []byte
	for _, f := range formats() {
		id := string(f.format)
		if _, err := exec.LookPath(f.compress[0]); err != nil {
			continue // its subtest says so
		}
		chain = append(chain, appended(t, link(t, id, busybox), f.compress, f.format, chained(id))...)
		ids = append(ids, id)
	}
	chain = append(chain, appended(t, link(t, "noisy", busybox), []string{"cat"}, FormatCPIO, noise())...)
	rd := filepath.Join(t.TempDir(), "ramdisk")
	first := minimal(t, string(busybox), append(ids, "noisy"))
	if err := os.WriteFile(rd, append(first, chain...), 0o600); err != nil {
		t.Fatal(err)
	}
	out := boot(t, vmlinuz, rd, "-smp", "2")
	if !strings.Contains(out, "drwx--x--x") {
		t.Errorf("the root folder's mode is not the ramdisk's:\n%s", out)
	}
	for _, f := range formats() {
		t.Run(string(f.format), func(t *testing.T) {
			if !slices.Contains(ids, string(f.format)) {
				t.Skipf("no %s here", f.compress[0])
			}
			checkChained(t, between(t, out, string(f.format)))
		})
	}
	t.Run("noise", func(t *testing.T) { checkNoise(t, between(t, out, "noisy")) })
}

// payload is how much of busybox each ramdisk of the chain has: enough for several blocks, little to unpack emulated.
const payload = 512 << 10

// link is a ramdisk of the chain. It has the shell of its overlay's scripts. The root folder is not in it: an overlay
// that changed the root's mode would be seen in the end.
func link(t *testing.T, id string, busybox []byte) []byte {
	t.Helper()
	return archive(t, cpio.Directory(id, 0o755), cpio.Symlink(id+"/sh", "/bin/busybox"),
		cpio.StaticFile(id+"/payload", string(busybox[:payload]), 0o644))
}

// formats are the kernel's, each with what makes it of standard input.
func formats() []struct {
	format   Format
	compress []string
} {
	return []struct {
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
	}
}

// between is what the console has of one overlay.
func between(t *testing.T, out, id string) string {
	t.Helper()
	_, of, begun := strings.Cut(out, "begin "+id+"\n")
	of, _, ended := strings.Cut(of, "end "+id+"\n")
	if !begun || !ended {
		t.Fatalf("the overlay was not run to its end:\n%s", out)
	}
	return of
}

func chained(id string) *Spec {
	return &Spec{ID: id, Stages: []Stage{{Definitions: []Definition{{
		Name: "smoke", UUID: "7_1.1.3.1", Steps: []string{"lava-test-case a --shell true", "lava-test-case b --result fail"},
	}, {
		Name: "kmsg", Index: 1, UUID: "7_1.1.3.2", Signal: SignalKmsg, Steps: []string{"lava-test-case c --result pass"},
	}}}}}
}

func checkChained(t *testing.T, out string) {
	t.Helper()
	got, sum := read(out)
	if want := "0_smoke/a=pass 0_smoke/b=fail lava/0_smoke=pass 1_kmsg/c=pass lava/1_kmsg=pass"; strings.Join(
		got, " ",
	) != want || !sum.Complete() {
		t.Errorf("cases %q, summary %+v\n%s", got, sum, out)
	}
	if !strings.Contains(out, "\nwhole\n") {
		t.Errorf("the ramdisk's file is not what it was:\n%s", out)
	}
	t.Logf("summary %+v", sum)
}

// noisyCases is how many cases report while the kernel prints all the time.
const noisyCases = 60

func noise() *Spec {
	return &Spec{ID: "noisy", Stages: []Stage{{Definitions: []Definition{{
		Name: "noisy", UUID: "7_1.1.3.1", Steps: []string{
			"{ set +x; } 2>/dev/null", "echo on >/proc/sys/kernel/printk_devkmsg",
			"(while echo '<4>noise: a message of the kernel, longer than a FIFO' >/dev/kmsg; do :; done) & noise=$!",
			fmt.Sprintf("i=0; while [ $i -lt %d ]; do i=$((i + 1)); lava-test-case case-$i --result pass; done", noisyCases),
			"kill $noise",
		},
	}}}}}
}

// checkNoise counts what a plain search for LAVA's signals finds beside what the parser finds.
func checkNoise(t *testing.T, out string) {
	t.Helper()
	got, sum := read(out)
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`<LAVA_SIGNAL_(\S+) ([^>]+)>`).FindAllStringSubmatch(out, -1) {
		if m[1] == "TESTCASE" && regexp.MustCompile(`^TEST_CASE_ID=case-\d+ RESULT=pass$`).MatchString(m[2]) {
			found[m[2]] = true
		}
	}
	t.Logf("of %d cases, LAVA's pattern finds %d, the parser %d; summary %+v", noisyCases, len(found), len(got)-1, sum)
	if n := strings.Count(out, "noise: a message"); n < noisyCases {
		t.Errorf("the kernel printed %d messages", n)
	}
	if len(got) != noisyCases+1 || !sum.Complete() {
		t.Errorf("cases %q\n%s", got, out)
	}
}
