package overlay

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/u-root/u-root/pkg/cpio"

	"github.com/gantry-ci/gantry/results"
)

func full() *Spec {
	return &Spec{
		ID: "42", Shell: "/system/bin/sh", ResultsDir: "/data/local/tmp/lava-%s", Self: "board1", ResultsDev: "/dev/vport0p1",
		Environment: []Var{{"HTTP_CACHE", "http://cache/?a=b&c='d'"}}, Secrets: []Var{{"TOKEN", "s3cr3t"}},
		Target: Target{
			IP: "10.0.0.2", MAC: "52:54:00:12:34:56", Storage: []Var{{"SATA", "/dev/sda"}}, ProbeIP: "10.0.0.9",
			ProbeChannel: "3",
		},
		Group: []Member{{"board1", "client"}, {"board2", "server"}},
		Stages: []Stage{{Definitions: []Definition{{
			Name: "repo", UUID: "42_1.1", Source: []byte("metadata: {}\n"), Metadata: []Var{{"os", "debian"}},
			Params: []Var{{"A", "it's $HOME"}}, Steps: []string{"./automated/run.sh"},
			Install: Install{
				Deps: []string{"git", "make"}, Repos: []Repo{{Dir: "lib/sub", Tree: fstest.MapFS{"x.c": {Data: []byte("int x;")}}}},
			},
			Tree: fstest.MapFS{
				"automated/run.sh": {Data: []byte("#!/bin/sh\n"), Mode: 0o755},
				"link":             {Data: []byte("automated/run.sh"), Mode: os.ModeSymlink | 0o777},
			},
		}}}, {
			Name:        "second",
			Definitions: []Definition{{Name: "kmsg", UUID: "42_1.2", Signal: SignalKmsg, Steps: []string{"true"}}},
		}},
	}
}

func build(t *testing.T, s *Spec) *Content {
	t.Helper()
	o, err := Build(s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// entries reads a newc archive: name, mode in octal and content or link's target of each, root only.
func entries(t *testing.T, b []byte) map[string]string {
	t.Helper()
	format, err := cpio.Format(newc)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	err = cpio.ForEachRecord(format.Reader(bytes.NewReader(b)), func(r cpio.Record) error {
		if r.UID != 0 || r.GID != 0 {
			t.Errorf("%s belongs to %d:%d", r.Name, r.UID, r.GID)
		}
		content := ""
		if r.ReaderAt != nil {
			c, err := io.ReadAll(io.NewSectionReader(r.ReaderAt, 0, int64(r.FileSize)))
			if err != nil {
				return err
			}
			content = string(c)
		}
		found[r.Name] = content
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestLayout(t *testing.T) {
	var b bytes.Buffer
	o := build(t, full())
	if err := o.WriteCPIO(&b); err != nil {
		t.Fatal(err)
	}
	got := entries(t, b.Bytes())
	root := "data/local/tmp/lava-42/"
	for name, want := range map[string]string{
		"environment":                     "export LAVA_JOB_ID='42'\nexport HTTP_CACHE='http://cache/?a=b&c='\\''d'\\'''\n",
		"secrets":                         "export TOKEN='s3cr3t'\n",
		"0/lava-test-runner.conf":         "/data/local/tmp/lava-42/0/tests/0_repo\n",
		"0/tests/0_repo/uuid":             "42_1.1\n",
		"0/tests/0_repo/testdef.yaml":     "metadata: {}\n",
		"0/tests/0_repo/testdef_metadata": "os: debian\n",
		"0/tests/0_repo/automated/run.sh": "#!/bin/sh\n",
		"0/tests/0_repo/link":             "automated/run.sh",
		"0/tests/0_repo/lib/sub/x.c":      "int x;",
		"0/tests/0_repo/install.sh": "#!/system/bin/sh\nA='it'\\''s $HOME'\nset -ex\n" +
			"lava-install-packages 'git' 'make'\n",
		"second/lava-test-runner.conf": "/data/local/tmp/lava-42/second/tests/0_kmsg\n",
		"gantry/storage":               "SATA /dev/sda\n",
		"gantry/group":                 "board1 client\nboard2 server\n",
		"gantry/results-dev":           "/dev/vport0p1\n",
		"gantry/kmsg":                  "on\n",
		"results":                      "",
	} {
		if diff := cmp.Diff(want, got[root+name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, ok := got["data/local/tmp"]; !ok {
		t.Error("no folders above the overlay, which the kernel does not make")
	}
	run := got[root+"0/tests/0_repo/run.sh"]
	want := `#!/system/bin/sh
A='it'\''s $HOME'
set -e
export TESTRUN_ID='0_repo'
cd '/data/local/tmp/lava-42/0/tests/0_repo'
UUID="$(cat uuid)"
/data/local/tmp/lava-42/bin/gantry-signal "<LAVA_SIGNAL_STARTRUN $TESTRUN_ID $UUID>"
set -x
./automated/run.sh
{ set +x; } 2>/dev/null
/data/local/tmp/lava-42/bin/gantry-signal "<LAVA_SIGNAL_ENDRUN $TESTRUN_ID $UUID>"
`
	if diff := cmp.Diff(want, run); diff != "" {
		t.Errorf("run.sh (-want +got):\n%s", diff)
	}
	commands := []string{
		"export SHELL=/system/bin/sh", ". /data/local/tmp/lava-42/environment",
		"/data/local/tmp/lava-42/bin/lava-test-runner /data/local/tmp/lava-42/second 3",
	}
	if diff := cmp.Diff(commands, full().Commands(1, 3)); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	for name, content := range got {
		if strings.Contains(content, "@PREFIX@") || strings.Contains(content, "@SHELL@") {
			t.Errorf("%s has a place that is not filled in", name)
		}
	}
}

// writers are the formats of an archive, by the tools that read them.
func writers() map[string]func(*Content, io.Writer) error {
	return map[string]func(*Content, io.Writer) error{"cpio": (*Content).WriteCPIO, "tar": (*Content).WriteTar}
}

func TestEqualSpecsGiveEqualBytes(t *testing.T) {
	for name, write := range writers() {
		var a, b bytes.Buffer
		if err := errors.Join(write(build(t, full()), &a), write(build(t, full()), &b)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s differs", name)
		}
	}
}

// TestOthersReadIt has Debian's cpio and tar list the archives.
func TestOthersReadIt(t *testing.T) {
	o := build(t, full())
	for name, write := range writers() {
		tool, err := exec.LookPath(name)
		if err != nil {
			t.Logf("no %s here", name)
			continue
		}
		var b bytes.Buffer
		if err := write(o, &b); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), tool, "-t")
		cmd.Stdin = &b
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range o.Paths() {
			if !slices.Contains(strings.Fields(strings.ReplaceAll(string(out), "/\n", "\n")), strings.TrimPrefix(p, "/")) {
				t.Errorf("%s does not list %s", name, p)
			}
		}
	}
}

func TestRefusedSpecs(t *testing.T) {
	for name, change := range map[string]func(*Spec){
		"name with a slash":       func(s *Spec) { s.Stages[0].Definitions[0].Name = "a/b" },
		"name with a command":     func(s *Spec) { s.Stages[0].Definitions[0].Name = "a;reboot" },
		"name of dots":            func(s *Spec) { s.Stages[0].Definitions[0].Name = ".." },
		"parameter's name":        func(s *Spec) { s.Stages[0].Definitions[0].Params[0].Name = "A;reboot" },
		"NUL in a value":          func(s *Spec) { s.Environment[0].Value = "a\x00b" },
		"repository above":        func(s *Spec) { s.Stages[0].Definitions[0].Install.Repos[0].Dir = "../../bin" },
		"shell with arguments":    func(s *Spec) { s.Shell = "/bin/sh -x" },
		"relative shell":          func(s *Spec) { s.Shell = "sh" },
		"results folder's spaces": func(s *Spec) { s.ResultsDir = "/a b/%s" },
	} {
		t.Run(name, func(t *testing.T) {
			s := full()
			change(s)
			if _, err := Build(s); results.ClassOf(err) != results.ClassJob {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestRefusedTrees has test folders hold what has no place in an overlay.
func TestRefusedTrees(t *testing.T) {
	s := full()
	s.Stages[0].Definitions[0].Tree = fstest.MapFS{"pipe": {Mode: os.ModeNamedPipe}}
	if _, err := Build(s); err == nil {
		t.Error("a pipe was taken")
	}
}

func TestAppendCPIO(t *testing.T) {
	o := build(t, full())
	for name, c := range map[string]struct {
		src    string
		format Format
		class  results.Class
	}{
		"cpio":        {"070701" + strings.Repeat("0", 105), FormatCPIO, ""},
		"gzip":        {"\x1f\x8b\x08\x00\x00\x00\x00", FormatGzip, ""},
		"lz4":         {"\x02\x21\x4c\x18\x00\x00\x00", FormatLZ4, ""},
		"U-Boot":      {"\x27\x05\x19\x56\x00\x00\x00\x00", "", results.ClassJob},
		"no ramdisk":  {"<html><body>404", "", results.ClassJob},
		"short":       {"07", "", results.ClassJob},
		"empty":       {"", "", results.ClassJob},
		"lz4's frame": {"\x04\x22\x4d\x18\x00\x00\x00", "", results.ClassJob},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
			if err := os.WriteFile(src, []byte(c.src), 0o600); err != nil {
				t.Fatal(err)
			}
			format, err := AppendCPIO(dst, src, o)
			if format != c.format || results.ClassOf(err) != c.class {
				t.Fatalf("format %q, error %v", format, err)
			}
			got, statErr := os.ReadFile(dst)
			if c.class != "" {
				if !errors.Is(statErr, os.ErrNotExist) {
					t.Error("a file is left")
				}
				return
			}
			if !bytes.HasPrefix(got, []byte(c.src)) {
				t.Error("the ramdisk is changed")
			}
			rest := bytes.TrimLeft(got[len(c.src):], "\x00")
			if c.format == FormatCPIO {
				if (len(got)-len(rest))%align != 0 {
					t.Error("the overlay is not aligned")
				}
				if entries(t, rest)["data/local/tmp/lava-42/secrets"] == "" {
					t.Error("no overlay after it")
				}
			} else if DetectFormat(rest) != FormatGzip {
				t.Errorf("% x comes after it", rest[:6])
			}
			if _, err := AppendCPIO(dst, src, o); !errors.Is(err, os.ErrExist) {
				t.Errorf("a file that is there was written over: %v", err)
			}
		})
	}
}
