package qemu

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/u-root/u-root/pkg/cpio"
	"go.uber.org/goleak"

	"github.com/gantry-ci/gantry/test/guest"
	"github.com/gantry-ci/gantry/vmhost/kvm"
	"github.com/gantry-ci/gantry/vmhost/qemuarg"
)

// holdEnv makes the test binary a runner that starts a guest and waits to be killed: TestMain looks at it.
const holdEnv = "GANTRY_TEST_HOLD"

func TestMain(m *testing.M) {
	if spec := os.Getenv(holdEnv); spec != "" {
		fmt.Fprintln(os.Stdout, hold(spec))
		return
	}
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code) //nolint:forbidigo // a TestMain that looks for leaks must
}

// hold starts the guest of spec (JSON), says so, and waits for ever.
func hold(spec string) error {
	var s struct{ ID, Kernel, Initrd string }
	if err := json.Unmarshal([]byte(spec), &s); err != nil {
		return err
	}
	g := newTestGuest(testOptions(s.ID))
	g.Image("kernel", s.Kernel)
	g.Image("ramdisk", s.Initrd)
	if err := g.Args(bootArgs...); err != nil {
		return err
	}
	if err := g.On(context.Background()); err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, "on")
	_, err := io.Copy(io.Discard, os.Stdin) // until the parent goes
	return err
}

var bootArgs = []string{
	`-kernel {kernel} -append "console=ttyS0 panic=-1 mitigations=off cryptomgr.notests quiet"`, "-initrd {ramdisk}",
}

func noKVM(context.Context) kvm.Result {
	return kvm.Result{Verdict: kvm.None, Evidence: "the test says so"}
}

// lavaDevice is what LAVA's qemu device type renders.
func lavaDevice() Machine {
	return Machine{Binary: "qemu-system-x86_64", Options: []string{
		"-nographic", "-net nic,model=virtio,macaddr=52:54:00:12:34:59 -net user", "-m 256", "-monitor none",
	}}
}

func testOptions(id string) Options {
	return Options{ID: id, Machine: lavaDevice(), Trust: Served, KVM: noKVM}
}

// needQEMU skips where there is no QEMU.
func needQEMU(t *testing.T) {
	t.Helper()
	guest.Need(t)
}

// testKernel is Debian's cloud kernel.
func testKernel(t *testing.T) string {
	t.Helper()
	f, err := guest.Make(t.Context(), guestDir(t))
	if err != nil {
		t.Fatal(err)
	}
	return f.Kernel
}

// guestDir is where the kernel is, and its modules.
func guestDir(t *testing.T) string {
	t.Helper()
	dir, err := guest.Dir()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// testModules are kernel modules of testKernel, as files of a ramdisk in the order to load them.
func testModules(t *testing.T, names ...string) []cpio.Record {
	t.Helper()
	testKernel(t)
	var records []cpio.Record
	for i, name := range names {
		b, err := os.ReadFile(filepath.Join(guestDir(t), "modules", name+".ko"))
		if errors.Is(err, fs.ErrNotExist) {
			continue // built in
		}
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, cpio.StaticFile(fmt.Sprintf("bin/%02d.ko", i), string(b), 0o644))
	}
	return records
}

// testInitrd is a ramdisk of busybox, the given /init and more files.
func testInitrd(t *testing.T, init string, more ...cpio.Record) string {
	t.Helper()
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Skip("there is no busybox (apt-get install busybox-static)")
	}
	var buf bytes.Buffer
	w := cpio.Newc.Writer(&buf)
	records := []cpio.Record{
		cpio.Directory("bin", 0o755), cpio.Directory("dev", 0o755), cpio.Directory("proc", 0o755),
		cpio.Directory("sys", 0o755),
	}
	records = append(
		records, cpio.StaticFile("bin/busybox", string(busybox), 0o755), cpio.StaticFile("init", init, 0o755),
		cpio.CharDev("dev/console", 0o600, 5, 1),
	)
	for name := range strings.FieldsSeq(
		"sh mount cat echo reboot poweroff sha256sum stty head tr seq uname dd insmod ip nc printf",
	) {
		records = append(records, cpio.Symlink("bin/"+name, "busybox"))
	}
	if err := cpio.WriteRecords(w, append(records, more...)); err != nil {
		t.Fatal(err)
	}
	if err := cpio.WriteTrailer(w); err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(t.TempDir(), "initrd.cpio")
	if err := os.WriteFile(p, buf.Bytes(), 0o600); err != nil { // unreadable for the guest's user, on purpose
		t.Fatal(err)
	}
	return p
}

const shellInit = `#!/bin/sh
mount -t devtmpfs devtmpfs /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys
exec </dev/console >/dev/console 2>&1
stty -echo
echo guest-is-up
while read -r line; do eval "$line"; done
`

// newGuest is a guest of this test that is gone when the test ends.
func newGuest(t *testing.T, o Options, init string, more ...cpio.Record) *testGuest {
	t.Helper()
	needQEMU(t)
	kernel, initrd := testKernel(t), testInitrd(t, init, more...)
	g := newTestGuest(o)
	g.Image("kernel", kernel)
	g.Image("ramdisk", initrd)
	if err := g.Args(bootArgs...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Off(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return g
}

func testID(t *testing.T) string {
	return strings.ReplaceAll(t.Name(), "/", "-") + fmt.Sprintf("-%d", os.Getpid())
}

// bootLimit is what a boot under software emulation may take on a busy machine.
const bootLimit = 3 * time.Minute

// await reads from r until text, and returns all it read.
func await(t *testing.T, r io.Reader, text string) string {
	t.Helper()
	timer := time.AfterFunc(bootLimit, func() {
		if c, ok := r.(io.Closer); ok {
			c.Close()
		}
	})
	defer timer.Stop()
	var seen []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(seen, []byte(text)) {
		n, err := r.Read(buf)
		seen = append(seen, buf[:n]...)
		if err != nil && !bytes.Contains(seen, []byte(text)) {
			t.Fatalf("waiting for %q: %v; the console says:\n%s", text, err, seen)
		}
	}
	return string(seen)
}

// isGone says whether no process carries the guest's name.
func isGone(t *testing.T, id string) bool {
	t.Helper()
	procs, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range procs {
		var pid int
		if _, err := fmt.Sscan(p.Name(), &pid); err == nil && isGuest(pid, id) {
			return false
		}
	}
	return true
}

func asArgumentError(err error) *qemuarg.ArgumentError {
	e, _ := errors.AsType[*qemuarg.ArgumentError](err)
	return e
}
