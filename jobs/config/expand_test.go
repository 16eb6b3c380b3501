package config_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/jobs/config"
)

func expand(t *testing.T, j *config.Job, v config.Variant) (*jobs.Job, string) {
	t.Helper()
	src, err := j.Expand(v, config.Source{
		URL: "https://github.com/o/r.git", Commit: "0123456789abcdef0123456789abcdef01234567",
	})
	if err != nil {
		t.Fatal(err)
	}
	job, r := jobs.ParseJob(src, schema.Strict)
	if !r.Valid() {
		t.Fatalf("%v\n%s", r.Err(), src)
	}
	return job, string(src)
}

func TestExpand(t *testing.T) {
	c, r := config.Parse([]byte(example))
	if !r.Valid() {
		t.Fatal(r.Err())
	}
	modes := c.Job("modes").Variants()
	if len(modes) != 2 || modes[0].Name() != "selinux=enforcing" {
		t.Fatal(modes)
	}
	job, src := expand(t, c.Job("modes"), modes[0])
	want := `# Expanded from the job modes of .github/gantry.yml.
job_name: "modes (selinux=enforcing)"
device_type: qemu
visibility: public
timeouts:
  job:
    seconds: 1800
  queue:
    seconds: 21600
context:
  arch: amd64
  memory: "2G"
metadata:
  gantry:
    job: modes
    modes:
    - "selinux=enforcing"
    symbols: "artifact://vmlinux"
actions:
- deploy:
    to: tmpfs
    images:
      kernel:
        url: "artifact://bzImage"
        image_arg: "-kernel {kernel} -append \"console=ttyS0 root=/dev/vda1 rw\""
      rootfs:
        url: "image://debian-12"
        image_arg: "-drive file={rootfs},if=virtio,format=qcow2"
- boot:
    method: qemu
    media: tmpfs
    prompts:
    - "[#$] $"
`
	if diff := cmp.Diff(want, src[:min(len(want), len(src))]); diff != "" {
		t.Error(diff)
	}
	if job.Timeouts.Job.Duration() != c.Job("modes").Timeout || len(job.Actions) != 3 {
		t.Error(job.Timeouts, len(job.Actions))
	}
	boards := c.Job("boards").Variants()
	job, _ = expand(t, c.Job("boards"), boards[1])
	m := job.Actions[0].(*jobs.DeployMedia)
	if job.DeviceType != "bbb" || m.Image.URL != "artifact://image.wic.zst" || m.Image.Compression != "zstd" ||
		m.Device != "sd" || job.Tags[0] != "sdmux" {
		t.Error(job.DeviceType, m)
	}
	if _, err := c.Job("smoke").Expand(config.Variant{}, config.Source{}); err == nil {
		t.Error("a LAVA definition was expanded")
	}
}

// TestExpandedSymbols has an expanded job name its symbols as any job does.
func TestExpandedSymbols(t *testing.T) {
	for name, want := range map[string]string{"https://x/vmlinux": "", "https://x/vmlinux.zst": "zstd"} {
		c, r := config.Parse([]byte(
			"version: 1\non: push\njobs: {a: {vm: {image: https://x/disk}, symbols: '" + name + "', steps: [{run: 'true'}]}}\n",
		))
		if !r.Valid() {
			t.Fatal(r.Err())
		}
		job, _ := expand(t, c.Job("a"), c.Job("a").Variants()[0])
		if job.Symbols == nil || job.Symbols.URL != name || job.Symbols.Compression != want {
			t.Errorf("%s: %+v", name, job.Symbols)
		}
	}
}

// TestExpandedSteps runs the steps in a real shell, with a lava-test-case that writes results down.
func TestExpandedSteps(t *testing.T) {
	c, r := config.Parse([]byte(`version: 1
on: push
jobs:
  a:
    vm: {image: debian-12}
    env: {GREETING: "it's \"me\" $HOME"}
    matrix: {flavour: ["x y"]}
    steps:
    - {run: 'test "$GREETING" = "it''s \"me\" \$HOME" && test "$MATRIX_FLAVOUR" = "x y"'}
    - {name: "two lines: quotes", run: "echo 'a\"b'\nfalse | true\n"}
    - {name: in sub, run: test "$(basename "$(pwd)")" = sub && test "$X" = 1, working-directory: sub, env: {X: 1}}
    - {name: fails in the middle, run: "false\ntrue"}
    - {name: never, run: touch ran}
`))
	if !r.Valid() {
		t.Fatal(r.Err())
	}
	j := c.Job("a")
	job, _ := expand(t, j, j.Variants()[0])
	steps := job.Actions[2].(*jobs.TestDefinitions).Definitions[0].Repository.Steps
	for _, sh := range [][]string{{"sh"}, {"bash"}, {"busybox", "sh"}} {
		if _, err := exec.LookPath(sh[0]); err != nil {
			t.Log("no ", sh[0])
			continue
		}
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "src", "sub"), 0o700); err != nil {
			t.Fatal(err)
		}
		helper := "#!/bin/sh\nn=$1; shift\nif [ $1 = --result ]; then echo $n $2 >> " + dir +
			"/out; exit 0; fi\nshift\nif \"$@\" >/dev/null; then echo $n pass; else echo $n fail; fi >> " + dir + "/out\n"
		if err := os.WriteFile(filepath.Join(dir, "lava-test-case"), []byte(helper), 0o700); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), sh[0], append(sh[1:], "-ec", strings.Join(steps, "\n"))...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", sh, err, out)
		}
		out, err := os.ReadFile(filepath.Join(dir, "out"))
		if err != nil {
			t.Fatal(err)
		}
		want := "test-GREETING-it-s-me-HOME-test-MATRIX_FLAVOUR-x-y pass\ntwo-lines-quotes pass\nin-sub pass\n" +
			"fails-in-the-middle fail\nnever skip\n"
		if diff := cmp.Diff(want, string(out)); diff != "" {
			t.Errorf("%s: %s", sh, diff)
		}
	}
}

func TestMatrixOfMachineIsChecked(t *testing.T) {
	_, r := config.Parse(
		[]byte(
			"version: 1\non: push\n" +
				"jobs: {a: {vm: {image: x}, matrix: {memory: [1G, much], other: [anything]}, steps: [{run: x}]}}\n",
		),
	)
	if len(r.Errors) != 1 || r.Errors[0].Path != "jobs.a.matrix.memory[1]" || r.Errors[0].Line != 3 {
		t.Error(r.Errors)
	}
}
