package qemu

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// qcow2Header is the header of an empty image.
func qcow2Header(version uint32, backing, incompatible uint64) []byte {
	b := make([]byte, 512)
	be := binary.BigEndian
	be.PutUint32(b, qcow2Magic)
	be.PutUint32(b[4:], version)
	be.PutUint64(b[8:], backing)
	if version >= 3 {
		be.PutUint64(b[72:], incompatible)
		be.PutUint32(b[100:], 104)
	}
	return b
}

func TestCheckQcow2(t *testing.T) {
	extension := func(kind, size uint32) []byte {
		b := qcow2Header(3, 0, 0)
		binary.BigEndian.PutUint32(b[104:], kind)
		binary.BigEndian.PutUint32(b[108:], size)
		return b
	}
	for name, c := range map[string]struct {
		image []byte
		want  error
	}{
		"version 2":       {qcow2Header(2, 0, 0), nil},
		"version 3":       {qcow2Header(3, 0, 0), nil},
		"backing file":    {qcow2Header(3, 0x200, 0), errBacking},
		"data file":       {qcow2Header(3, 0, incompatDataFile), errDataFile},
		"data file name":  {extension(extDataFile, 8), errDataFile},
		"backing format":  {extension(extBacking, 5), errBacking},
		"other extension": {extension(0x6803f857, 16), nil},
		"huge extension":  {extension(0x6803f857, 1<<31), errNotQcow2},
		"version 9":       {qcow2Header(9, 0, 0), errNotQcow2},
		"short":           {[]byte("QFI\xfb"), errNotQcow2},
		"raw":             {make([]byte, 512), errNotQcow2},
	} {
		if err := checkQcow2(bytes.NewReader(c.image)); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// Images as qemu-img makes them, started by a served job: the one with a backing file is refused, with its reason.
func TestQcow2Guest(t *testing.T) {
	needQEMU(t)
	if _, err := exec.LookPath("qemu-img"); err != nil {
		t.Skip("qemu-img is not installed (apt-get install qemu-utils)")
	}
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	img := func(name string, args ...string) string {
		p := filepath.Join(dir, name)
		out, err := exec.CommandContext(t.Context(), "qemu-img", append([]string{
			"create", "-q", "-f", "qcow2",
		}, append(args, p, "1M")...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return p
	}
	for _, c := range []struct {
		name, path, want string
	}{
		{"plain", img("plain"), ""},
		{"backing", img("backing", "-b", secret, "-F", "raw"), "it names a backing file"},
		{
			"data", img("data", "-o", "data_file="+filepath.Join(dir, "data.raw")+",data_file_raw=on"),
			"it names an external data file",
		},
		{"symlink", func() string {
			p := filepath.Join(dir, "symlink")
			if err := os.Symlink("/etc/hostname", p); err != nil {
				t.Fatal(err)
			}
			return p
		}(), "is a symbolic link"},
		{"folder", dir, "not a regular file"},
		{"missing", filepath.Join(dir, "missing"), "no such file"},
	} {
		g := newTestGuest(testOptions(testID(t) + c.name))
		g.Image("disk", c.path)
		format := "qcow2"
		if c.want != "" && c.name != "backing" && c.name != "data" {
			format = "raw"
		}
		if err := g.Args("-drive file={disk},if=virtio,format=" + format); err != nil {
			t.Fatal(err)
		}
		err := g.On(t.Context())
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if isJobs := asArgumentError(err) != nil; isJobs != (err != nil && c.name != "missing") {
			t.Errorf("%s: whose fault is %v?", c.name, err)
		}
		if err := g.Off(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
