package qemu

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/vmhost/qemuarg"
)

// createQcow2 makes an image of 1 MiB with qemu-img.
func createQcow2(t *testing.T, path string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("qemu-img"); err != nil {
		t.Skip("qemu-img is not installed (apt-get install qemu-utils)")
	}
	args = append(append([]string{"create", "-q", "-f", "qcow2"}, args...), path, "1M")
	if out, err := exec.CommandContext(t.Context(), "qemu-img", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

func zeros(t *testing.T, path string) string {
	t.Helper()
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What is a disk of a served job is one disk and nothing else, said in one argument or in several.
func TestDiskOnce(t *testing.T) {
	const raw, cow = "-drive file={disk},format=raw,if=none,id=a", "-drive file={disk},format=qcow2,if=none,id=b"
	for _, args := range [][]string{
		{raw + " " + cow},
		{cow + " " + raw + " -device virtio-blk,drive=b"},
		{raw, cow},
		{raw, "-drive file=/run/1/disk.img,format=raw,if=none,id=b"},
		{raw, "-drive file={same},format=raw,if=none,id=b"},
		{raw, "-drive file={unclean},format=raw,if=none,id=b"},
		{"-drive file={disk},format=raw,readonly=on", "-drive file={disk},format=raw,readonly=on"},
		{"-hda {disk} -hdb {disk}"},
		{"-hda {disk}", cow},
		{"-kernel {disk}", cow},
		{cow, "-initrd {disk}"},
		{"-cdrom {disk}", "-pflash {disk}"},
		{"-bios {disk} -sd {disk}"},
	} {
		g := served()
		g.Image("same", "/run/1/disk.img")
		g.Image("unclean", "/run/1/./disk.img")
		var err error
		for _, arg := range args {
			if err = g.Args(arg); err != nil {
				break
			}
		}
		if asArgumentError(err) == nil || !strings.Contains(err.Error(), "what is a disk may be used once") {
			t.Errorf("%q: got %v", args, err)
		}
	}
	for _, arg := range []string{"-kernel {kernel} -initrd {kernel}", "-hda {disk} -kernel {kernel}", raw +
		" -net nic -net user -device virtio-blk,drive=a"} {
		if err := served().Args(arg); err != nil {
			t.Errorf("%s: %v", arg, err)
		}
	}
}

// What Args could not see yet: two names whose images turn out to be one.
func TestDiskOncePrepared(t *testing.T) {
	g := newTestGuest(testOptions("x"))
	if err := g.Args("-hda {a} -hdb {b}"); err != nil {
		t.Fatal(err)
	}
	g.Image("a", "/run/1/disk.img")
	g.Image("b", "/run/1/disk.img")
	if _, err := g.Prepare(t.Context()); asArgumentError(err) == nil {
		t.Errorf("got %v", err)
	}
}

// The same for two names of one file in the file system: what counts is the file. The secret is never opened.
func TestDiskOnceFile(t *testing.T) {
	needQEMU(t)
	dir := t.TempDir()
	img := createQcow2(t, filepath.Join(dir, "img"), "-b", zeros(t, filepath.Join(dir, "secret")), "-F", "raw")
	link := filepath.Join(dir, "link")
	if err := os.Link(img, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, filepath.Join(dir, "around")); err != nil {
		t.Fatal(err)
	}
	for i, second := range []string{link, filepath.Join(dir, "around", "img")} {
		for j, args := range []string{
			"-drive file={a},format=raw,if=none,id=a -drive file={b},format=qcow2,if=none,id=b -device virtio-blk,drive=b",
			"-drive file={a},format=raw,if=none,id=a,readonly=on -drive file={b},format=raw,if=none,id=b,readonly=on",
			"-kernel {a} -hda {b}",
		} {
			g := newTestGuest(testOptions(testID(t) + fmt.Sprintf("-%d-%d", i, j)))
			g.Image("a", img)
			g.Image("b", second)
			if err := g.Args(args); err != nil {
				t.Fatal(err)
			}
			if err := g.On(t.Context()); asArgumentError(err) == nil {
				t.Errorf("%s: got %v", args, err)
			}
			if err := g.Off(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}

// Below the policy: the header of each option's file is read, also of a file that was opened before as something else.
func TestEveryFormatIsChecked(t *testing.T) {
	dir := t.TempDir()
	img := createQcow2(t, filepath.Join(dir, "img"), "-b", zeros(t, filepath.Join(dir, "secret")), "-F", "raw")
	drive := func(format string) option {
		o := made("drive", "file="+img+",format="+format)
		o.From, o.write = qemuarg.FromJob, true
		return o
	}
	if key(drive("raw")) == key(drive("qcow2")) {
		t.Error("a raw and a qcow2 drive share what was opened")
	}
	for _, formatsOf := range [][]string{{"qcow2"}, {"raw", "qcow2"}, {"qcow2", "raw"}, {"raw", "raw"}} {
		c := &command{}
		for _, f := range formatsOf {
			c.opts = append(c.opts, drive(f))
		}
		f, err := openFiles(testOptions("x"), c, &formats{})
		f.close()
		if asArgumentError(err) == nil {
			t.Errorf("%v: got %v", formatsOf, err)
		}
	}
}

// A guest's second boot reads what its first may have written.
func TestSecondBoot(t *testing.T) {
	needQEMU(t)
	dir := t.TempDir()
	disk := zeros(t, filepath.Join(dir, "disk"))
	secret := zeros(t, filepath.Join(dir, "secret"))
	plain := createQcow2(t, filepath.Join(dir, "plain"))
	backed := createQcow2(t, filepath.Join(dir, "backed"), "-b", secret, "-F", "raw")
	overwrite := func(path string) { // as a guest does: the file stays the same one
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(disk, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g := newTestGuest(testOptions(testID(t)))
	g.Image("disk", disk)
	boot := func(format, want string) {
		t.Helper()
		g.spec.Args = []string{"-drive file={disk},if=virtio,format=" + format}
		err := g.On(t.Context())
		if (err == nil) != (want == "") ||
			err != nil && (asArgumentError(err) == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", format, err, want)
		}
		if err := g.Off(t.Context()); err != nil {
			t.Error(err)
		}
	}
	boot("raw", "")
	overwrite(backed)
	boot("qcow2", "it names a backing file")
	overwrite(plain)
	boot("qcow2", "was raw before")
	boot("raw", "")

	if err := os.Rename(createQcow2(t, filepath.Join(dir, "new")), disk); err != nil { // a second deploy
		t.Fatal(err)
	}
	boot("qcow2", "")
	overwrite(backed)
	boot("qcow2", "it names a backing file")
}

// A file grows to what was agreed on, or to what an image has already.
func TestFileLimit(t *testing.T) {
	needQEMU(t)
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 20<<30); err != nil { // sparse
		t.Skipf("no large files here: %v", err)
	}
	for i, c := range []struct {
		trust Trust
		limit int64
		args  string
		want  int64
	}{
		{Served, 0, "", 16 << 30},
		{Served, 1 << 30, "", 1 << 30},
		{Served, 1 << 30, "-hda {large}", 20 << 30},
		{Operator, 0, "", 64 << 30},
	} {
		o := testOptions(testID(t) + fmt.Sprint("-", i))
		o.Trust, o.Limits.FileBytes = c.trust, c.limit
		g := newTestGuest(o)
		g.Image("large", large)
		if err := g.Args(c.args); err != nil {
			t.Fatal(err)
		}
		if err := g.On(t.Context()); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", guestPID(t, g.ID())))
		if err != nil {
			t.Fatal(err)
		}
		_, line, _ := strings.Cut(string(b), "Max file size ")
		if got := strings.Fields(line); len(got) < 2 || got[0] != fmt.Sprint(c.want) || got[1] != got[0] {
			t.Errorf("%+v: the limits are\n%s", c, b)
		}
		if err := g.Off(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
