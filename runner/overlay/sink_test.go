package overlay

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/results"
)

// TestEverySink puts content into an image of each kind, and has the field's own tools find it there.
func TestEverySink(t *testing.T) {
	for kind, c := range map[Kind]struct {
		image func(t *testing.T, path string)
		read  func(t *testing.T, path, name string) string // a file of the image
	}{
		KindRamdisk: {cpioRoot, fromCPIO},
		KindTar:     {tarRoot, fromTar},
		KindExt4:    {ext4Root, fromExt4},
	} {
		t.Run(string(kind), func(t *testing.T) {
			image := filepath.Join(t.TempDir(), "root")
			c.image(t, image)
			s := full()
			s.ResultsDir = "/opt/lava-%s"
			o, err := Build(s)
			if err != nil {
				t.Fatal(err)
			}
			other := Content{root: "/", files: []File{text("etc/motd", "two\n"), text("etc/odd \"name\"", "odd\n")}}
			res, err := Sinks()[kind](t.Context(), []*Content{o, &other}, Image{Path: image})
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]string{
				"etc/hostname":                           "gantry\n", // the image's own
				"etc/motd":                               "two\n",    // replaced
				"etc/odd \"name\"":                       "odd\n",
				"opt/lava-42/secrets":                    "export TOKEN='s3cr3t'\n",
				"opt/lava-42/0/tests/0_repo/lib/sub/x.c": "int x;",
			} {
				if diff := cmp.Diff(want, c.read(t, res.Path, name)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			left, err := filepath.Glob(filepath.Join(filepath.Dir(image), "*"))
			if err != nil || len(left) > 2 || len(left) == 2 && kind != KindRamdisk {
				t.Errorf("beside the image: %q, %v", left, err)
			}
		})
	}
}

// TestSinksRefuse gives each sink what is no image of its kind.
func TestSinksRefuse(t *testing.T) {
	o := build(t, full())
	var zip bytes.Buffer
	zip.WriteString("\x1f\x8b\x08\x00" + strings.Repeat("\x00", 2000))
	for name, content := range map[string]string{
		"empty": "", "text": strings.Repeat("<html>404</html>", 100), "short": "x", "gzip": zip.String(),
	} {
		for kind, sink := range Sinks() {
			if kind == KindRamdisk && name == "gzip" {
				continue // it is one
			}
			image := filepath.Join(t.TempDir(), "image")
			if err := os.WriteFile(image, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := sink(t.Context(), []*Content{o}, Image{Path: image}); results.ClassOf(err) != results.ClassJob {
				t.Errorf("%s, %s: %v", kind, name, err)
			}
			if _, err := os.Stat(image + ".files"); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s, %s: files are left: %v", kind, name, err)
			}
		}
	}
}

// TestExt4 holds what is special about file systems: links on the way, modes, room.
func TestExt4(t *testing.T) {
	image := filepath.Join(t.TempDir(), "root")
	ext4Root(t, image)
	s := full()
	s.ResultsDir = "/bin/tmp/lava-%s" // bin is a link to usr/bin
	s.Stages[0].Definitions[0].Tree = fstest.MapFS{
		"go.sh": {Data: []byte("#!/bin/sh\n"), Mode: 0o750},
		"link":  {Data: []byte("../a b"), Mode: os.ModeSymlink | 0o777},
		"big":   {Data: bytes.Repeat([]byte("gantry\n"), 100_000)},
	}
	if _, err := ext4(t.Context(), []*Content{build(t, s)}, Image{Path: image}); err != nil {
		t.Fatal(err)
	}
	checkExt4(t, image)
	dir := "usr/bin/tmp/lava-42/0/tests/0_repo/"
	if got := fromExt4(t, image, dir+"big"); len(got) != 700_000 {
		t.Errorf("%d bytes", len(got))
	}
	for name, want := range map[string][]string{
		"usr/bin/tmp":                            {"Type: directory", "Mode:  01777", "User:     0"},
		"usr/bin/tmp/lava-42/secrets":            {"Type: regular", "Mode:  0600", "User:     0   Group:     0"},
		"usr/bin/tmp/lava-42/bin/lava-test-case": {"Mode:  0755", "mtime: 0x5e0be100"},
		dir + "go.sh":                            {"Mode:  0750"},
		dir + "link":                             {"Type: symlink", `Fast link dest: "../a b"`},
	} {
		out := debug(t, image, `stat "/`+name+`"`)
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: no %q in\n%s", name, w, out)
			}
		}
	}
	_, err := ext4(t.Context(), []*Content{{root: "/", files: []File{text("etc/hostname/x", "")}}}, Image{Path: image})
	if results.ClassOf(err) != results.ClassJob {
		t.Errorf("below a file: %v", err)
	}
	_, err = ext4(t.Context(), []*Content{{root: "/", files: []File{text("a\nrm /etc/hostname", "")}}}, Image{Path: image})
	if results.ClassOf(err) != results.ClassJob || fromExt4(t, image, "etc/hostname") != "gantry\n" {
		t.Errorf("a name that is two commands: %v", err)
	}
	large := &Content{root: "/", files: []File{text("large", strings.Repeat("x", 9<<20))}}
	_, err = ext4(t.Context(), []*Content{large}, Image{Path: image})
	if results.ClassOf(err) != results.ClassJob || !strings.Contains(err.Error(), "allocate") {
		t.Errorf("more than there is room for: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("over"))
	_, err = ext4(ctx, []*Content{build(t, full())}, Image{Path: image})
	if err == nil || !strings.Contains(err.Error(), "over") {
		t.Errorf("after the end: %v", err)
	}
}

// TestTarEnds adds content to archives that end in each way an archive may.
func TestTarEnds(t *testing.T) {
	var whole bytes.Buffer
	w := tar.NewWriter(&whole)
	err := w.WriteHeader(&tar.Header{Name: "./a", Typeflag: tar.TypeReg, Size: 600, Mode: 0o644})
	_, e := w.Write(make([]byte, 600)) // zeros, as the trailer's
	if err = errors.Join(err, e, w.Close()); err != nil {
		t.Fatal(err)
	}
	const entry = 512 + 1024
	for name, archive := range map[string][]byte{
		"GNU's padding": append(whole.Bytes(), make([]byte, 8192)...), "trailer": whole.Bytes(),
		"half a trailer": whole.Bytes()[:entry+512], "no trailer": whole.Bytes()[:entry], "no entry": make([]byte, 1024),
	} {
		t.Run(name, func(t *testing.T) {
			image := filepath.Join(t.TempDir(), "root.tar")
			if err := os.WriteFile(image, archive, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := tarball(t.Context(), []*Content{build(t, full())}, Image{Path: image}); err != nil {
				t.Fatal(err)
			}
			if name != "no entry" && len(fromTar(t, image, "./a")) != 600 {
				t.Error("its own entry is lost")
			}
			if got := fromTar(t, image, "data/local/tmp/lava-42/secrets"); got != "export TOKEN='s3cr3t'\n" {
				t.Errorf("%q", got)
			}
		})
	}
}

func text(path, content string) File {
	return File{Path: path, Mode: 0o644, Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(content)), nil
	}}
}

// run runs a tool of the field; where it is not installed, the test is skipped.
func run(t *testing.T, stdin, tool string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		t.Skipf("no %s here", tool)
	}
	cmd := exec.CommandContext(t.Context(), tool, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s", tool, args, err, out, said.Bytes())
	}
	return string(out)
}

// rootFolder makes a small root file system as a folder.
func rootFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	err := errors.Join(
		os.MkdirAll(filepath.Join(dir, "etc"), 0o755), os.MkdirAll(filepath.Join(dir, "usr/bin"), 0o755),
		os.Symlink("usr/bin", filepath.Join(dir, "bin")),
		os.WriteFile(filepath.Join(dir, "etc/hostname"), []byte("gantry\n"), 0o644),
		os.WriteFile(filepath.Join(dir, "etc/motd"), []byte("one\n"), 0o644),
	)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func cpioRoot(t *testing.T, path string) {
	t.Helper()
	const script = `cd "$1" && find . | busybox cpio -o -H newc -R 0:0 2>/dev/null >"$2"`
	run(t, "", "sh", "-c", script, "sh", rootFolder(t), path)
}

func tarRoot(t *testing.T, path string) {
	t.Helper()
	run(t, "", "tar", "-C", rootFolder(t), "-cf", path, ".")
}

func ext4Root(t *testing.T, path string) {
	t.Helper()
	run(t, "", "mke2fs", "-q", "-t", "ext4", "-d", rootFolder(t), path, "8M")
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

// fromCPIO unpacks a ramdisk as the kernel does: archive by archive, what comes later replacing.
func fromCPIO(t *testing.T, path, name string) string {
	t.Helper()
	rest, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := ""
	for len(rest) > 0 {
		all := entries(t, rest)
		if content, ok := all[name]; ok {
			found = content
		}
		end := bytes.Index(rest, []byte("TRAILER!!!"))
		rest = bytes.TrimLeft(rest[end+len("TRAILER!!!"):], "\x00")
	}
	return found
}

// fromTar unpacks an archive with GNU tar.
func fromTar(t *testing.T, path, name string) string {
	t.Helper()
	dir := t.TempDir()
	run(t, "", "tar", "-C", dir, "-xf", path)
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// fromExt4 reads a file of a file system that e2fsck finds sound.
func fromExt4(t *testing.T, path, name string) string {
	t.Helper()
	checkExt4(t, path)
	return debug(t, path, `cat "/`+strings.ReplaceAll(name, `"`, `""`)+`"`)
}

func checkExt4(t *testing.T, path string) {
	t.Helper()
	run(t, "", "e2fsck", "-fn", path)
}

func debug(t *testing.T, image, command string) string {
	t.Helper()
	return run(t, "", "debugfs", "-R", command, image)
}
