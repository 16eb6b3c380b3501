package netboot_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/runner/netboot"
)

// bootLimit is for a whole boot of an emulated machine, with others beside it.
const bootLimit = 3 * time.Minute

// TestBoot has a machine boot from both services, as a board would: the firmware of QEMU's network card, which is iPXE,
// fetches a script and the ramdisk by TFTP, and the kernel by HTTP.
func TestBoot(t *testing.T) {
	if testing.Short() {
		t.Skip("boots an emulated machine")
	}
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		t.Skip("no qemu-system-x86_64 here")
	}
	const guest = "../../.cache/guest/"
	if _, err := os.Stat(guest + "vmlinuz"); err != nil {
		t.Skip("no kernel in .cache/guest: make test puts one there")
	}
	o := netboot.Options{Listen: "127.0.0.1:0", Host: "10.0.2.2", Logger: slog.New(slog.DiscardHandler)}
	h, err := netboot.ListenHTTP(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	f, err := netboot.ListenTFTP(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	byHTTP, _ := share(t, h, "lease-1")
	byTFTP, _ := share(t, f, "lease-1")
	for from, to := range map[string]string{"vmlinuz": byHTTP.Folder, "ramdisk.cpio.gz": byTFTP.Folder} {
		if err := os.Link(guest+from, filepath.Join(to, from)); err != nil { // or they are on two file systems
			if out, err := exec.CommandContext(t.Context(), "cp", guest+from, to).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
	}
	script := fmt.Sprintf("#!ipxe\nkernel %s console=ttyS0 no_timer_check panic=-1 netbooted\ninitrd %s\nboot\n",
		byHTTP.Address.JoinPath("vmlinuz"), byTFTP.Address.JoinPath("ramdisk.cpio.gz"))
	if err := os.WriteFile(filepath.Join(byTFTP.Folder, "ipxe"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), bootLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64",
		"-M", "q35", "-accel", "tcg", "-cpu", "max", "-m", "512", "-display", "none", "-nodefaults", "-serial", "stdio",
		"-no-reboot", "-boot", "n", "-nic", "user,model=virtio-net-pci,bootfile="+byTFTP.Address.JoinPath("ipxe").String())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var console strings.Builder
	for b := bufio.NewReader(out); !strings.HasSuffix(console.String(), "gantry:"); { // the shell's prompt
		c, err := b.ReadByte()
		if err != nil {
			break
		}
		console.WriteByte(c)
	}
	cancel()
	_ = cmd.Wait() // killed
	for _, want := range []string{"Command line:", "netbooted", "gantry:"} {
		if !strings.Contains(console.String(), want) {
			t.Errorf("the console has no %q:\n%s", want, console.String())
		}
	}
}
