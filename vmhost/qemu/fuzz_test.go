package qemu

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/vmhost/qemuarg"
)

// harmless are the options of an accepted command line, with what may follow them checked anew, and differently than by
// the policy itself: by looking for anything that could name a file, a host or a command.
var harmless = []string{
	"append", "nographic", "no-reboot", "snapshot", "usb", "enable-kvm", "no-acpi", "no-hpet", "kernel", "initrd", "dtb",
	"bios",
	"drive", "device", "machine", "M", "accel", "net", "netdev", "nic", "boot", "m", "smp", "cpu", "rtc", "serial",
	"parallel",
	"monitor", "display", "vga", "chardev", "mon", "name", "sandbox",
}

// Whatever a stranger says: an accepted command line has only known options, and no path but the run's images.
func FuzzServed(f *testing.F) {
	for _, s := range []string{
		`-kernel {kernel} -append "console=ttyS0"`, "-drive file={disk},format=raw,if=virtio",
		"-hda {disk} -device virtio-rng-pci",
		"-drive file=/etc/shadow", "-drive file=json:{}", "-netdev user,id=n,hostfwd=::1-:1",
		"-machine q35,accel=kvm -cpu host", "-serial null -serial stdio",
		"-drive file={disk},,format=raw", "-drive file={disk},file={kernel}",
		"-pflash {disk} -cdrom {kernel} -m 1G -smp 2 -boot order=c", "-nic user,model=e1000",
		"-hda {disk} -drive file={disk},format=qcow2", "-drive file={kernel},format=raw -kernel {kernel}",
	} {
		f.Add(s)
	}
	images := []string{"/run/1/bzImage", "/run/1/disk, with=comma"}
	f.Fuzz(func(t *testing.T, arg string) {
		g := newTestGuest(testOptions("run-1"))
		g.Image("kernel", images[0])
		g.Image("disk", images[1])
		if g.Args(arg) != nil {
			return
		}
		c, err := g.Prepare(t.Context())
		if err != nil {
			return
		}
		argv := c.argv[1:]
		checkAlone(t, arg, argv, images)
		for i := 0; i < len(argv); i++ {
			name, ok := strings.CutPrefix(argv[i], "-")
			if !ok || !slices.Contains(harmless, name) {
				t.Fatalf("%q: argument %q in %q", arg, argv[i], argv)
			}
			if qemuarg.KindOf(name) == qemuarg.KindFlag {
				continue
			}
			i++
			checkHarmless(t, name, argv[i], images)
		}
	})
}

// checkAlone looks for an image that is a disk and named again.
func checkAlone(t *testing.T, arg string, argv, images []string) {
	t.Helper()
	for _, image := range images {
		disks, others := 0, 0
		for i, word := range argv {
			switch {
			case i == 0:
			case argv[i-1] == "-drive" && strings.Contains(word, "file="+strings.ReplaceAll(image, ",", ",,")):
				disks++
			case word == image && argv[i-1] != "-append":
				others++
			}
		}
		if disks > 1 || disks == 1 && others > 0 {
			t.Fatalf("%q: the image %s is a disk and used again: %q", arg, image, argv)
		}
	}
}

func checkHarmless(t *testing.T, name, value string, images []string) {
	t.Helper()
	switch name {
	case "append": // the kernel's, any text
		return
	case "kernel", "initrd", "dtb", "bios":
		if !slices.Contains(images, value) {
			t.Fatalf("-%s %q", name, value)
		}
		return
	case "sandbox", "chardev", "mon":
		if value != sandbox && value != "socket,id="+consoleID && value != "socket,id="+qmpID &&
			value != "chardev="+qmpID+",mode=control" {
			t.Fatalf("-%s %q", name, value)
		}
		return
	}
	if name == "drive" {
		found := false
		for _, image := range images {
			escaped := "file=" + strings.ReplaceAll(image, ",", ",,")
			if rest, ok := strings.CutPrefix(value, escaped); ok &&
				(rest == "" || rest[0] == ',' && !strings.HasPrefix(rest, ",,")) {
				value, found = rest, true
			} else if before, rest, ok := strings.Cut(value, ","+escaped); ok &&
				(rest == "" || rest[0] == ',' && !strings.HasPrefix(rest, ",,")) {
				value, found = before+rest, true
			}
		}
		if found && !strings.Contains(value, "format=raw") && !strings.Contains(value, "format=qcow2") {
			t.Fatalf("the format is left to guess: -drive %q", value)
		}
	}
	if bad := strings.ContainsAny(value, "/{}@\\'\" \x00\n") || strings.Contains(value, "file"); bad {
		t.Fatalf("-%s %q", name, value)
	}
	if strings.HasPrefix(value, "user") && !strings.Contains(value, "restrict=on") {
		t.Fatalf("an open network: -%s %q", name, value)
	}
}

// A qcow2 header of any bytes is refused or refers to nothing.
func FuzzQcow2(f *testing.F) {
	f.Add(qcow2Header(3, 0, 0))
	f.Add(qcow2Header(2, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		if checkQcow2(bytes.NewReader(b)) == nil && !bytes.Equal(b[8:20], make([]byte, 12)) {
			t.Errorf("% x", b[:20])
		}
	})
}
