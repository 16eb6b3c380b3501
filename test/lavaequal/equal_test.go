package lavaequal

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/test/guest"
)

// jobTimeout is for one job on one dispatcher, on a busy machine.
const jobTimeout = 3 * time.Minute

// head is what all jobs begin with. Where no definitions are, LAVA wants no overlay.
const head = `job_name: equal
device_type: qemu
visibility: public
context: {arch: amd64}
timeouts: {job: {minutes: 5}, action: {minutes: 2}}
actions:
- deploy:
    to: tmpfs
    images:
      kernel:
        url: file://@KERNEL@
        image_arg: -kernel {kernel} -append "console=ttyS0 rdinit=/init no_timer_check"
      ramdisk:
        url: file://@RAMDISK@
        image_arg: -initrd {ramdisk}
@OVERLAY@
- boot:
    method: qemu
    media: tmpfs
    prompts: ['gantry:.*# ']
`

const withOverlay = `        format: cpio.newc
        compression: gz
        overlays: {lava: true}`

// bench is what the jobs share.
type bench struct {
	bin, device string
	fill        *strings.Replacer
	id          int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	if testing.Short() {
		t.Skip("boots some sixty guests; not in short runs")
	}
	for _, need := range []string{"lava-run", "qemu-system-x86_64", "git"} {
		if _, err := exec.LookPath(need); err != nil {
			t.Skipf("%v (apt-get install lava-dispatcher qemu-system-x86 git)", err)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("LAVA's dispatcher runs as root only")
	}
	cache, err := guest.Dir()
	if err != nil {
		t.Fatal(err)
	}
	images, err := guest.Make(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	b := &bench{bin: filepath.Join(dir, "gantry"), id: os.Getpid() * 100}
	if b.device, err = filepath.Abs("testdata/device.yaml"); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", b.bin, "../..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	repo, revision, archive := sources(t, dir)
	b.fill = strings.NewReplacer(
		"@KERNEL@", images.Kernel, "@RAMDISK@", images.Ramdisk, "@REPO@", repo, "@REVISION@", revision, "@ARCHIVE@", archive,
	)
	return b
}

const definition = `metadata: {format: Lava-Test Test Definition 1.0, name: fetched}
params: {WHO: nobody, MORE: none}
run:
  steps:
  - lava-test-case who-$WHO --result pass
  - lava-test-case more --shell test "$MORE" = "a b"
  - lava-test-case here --shell test -f ci/t.yaml
  - lava-test-case second --shell test -e second
  - lava-test-case git --shell test -e .git
`

// sources makes a repository of two commits, the first of which is the branch old, and an archive of the second.
func sources(t *testing.T, dir string) (repo, revision, archive string) {
	t.Helper()
	repo, archive = filepath.Join(dir, "repo"), filepath.Join(dir, "repo.tar.gz")
	run := func(name string, args ...string) string {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = repo
		cmd.Env = append(
			os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a",
			"GIT_COMMITTER_EMAIL=a@b",
		)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v: %s", name, args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if err := os.MkdirAll(filepath.Join(repo, "ci"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range [][2]string{{"ci/t.yaml", definition}, {"second", "2"}} {
		if err := os.WriteFile(filepath.Join(repo, f[0]), []byte(f[1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run("git", "init", "-q", "-b", "main")
	run("git", "add", "ci")
	run("git", "commit", "-qm", "one")
	run("git", "branch", "old")
	revision = run("git", "rev-parse", "HEAD")
	run("git", "add", ".")
	run("git", "commit", "-qm", "two")
	run("git", "archive", "-o", archive, "HEAD")
	return repo, revision, archive
}

// both runs a job on both dispatchers at once.
func (b *bench) both(t *testing.T, src, device string) (theirs, ours Outcome) {
	t.Helper()
	dir := t.TempDir()
	src = head + src
	with := ""
	if strings.Contains(src, "definitions:") {
		with = withOverlay
	}
	job := filepath.Join(dir, "job.yaml")
	if err := os.WriteFile(job, []byte(b.fill.Replace(strings.Replace(src, "@OVERLAY@", with, 1))), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), jobTimeout)
	defer cancel()
	b.id++
	var wg sync.WaitGroup
	var errs [2]error
	wg.Go(func() { theirs, errs[0] = lava(ctx, b.id, device, job, filepath.Join(dir, "lava")) })
	wg.Go(func() { ours, errs[1] = gantry(ctx, b.bin, device, job, filepath.Join(dir, "gantry")) })
	wg.Wait()
	for i, who := range []string{"LAVA", "gantry"} {
		if errs[i] != nil {
			t.Fatalf("%s: %v", who, errs[i])
		}
	}
	return theirs, ours
}

// TestEqual runs every job of testdata on both, and prints the tables.
func TestEqual(t *testing.T) {
	b := newBench(t)
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all table
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".yaml")
		if name == "device" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			theirs, ours := b.both(t, string(src), b.device)
			differences, equal := compare(theirs.Results, ours.Results)
			refused, gone := excuse(allowed()[name], differences)
			for _, d := range refused {
				t.Errorf("%s: LAVA says %q, gantry %q", d.Case, d.LAVA, d.Gantry)
			}
			for _, d := range gone {
				t.Errorf("%s: LAVA %q, gantry %q is listed as a difference, and did not come", d.Case, d.LAVA, d.Gantry)
			}
			if w, ok := endings()[name]; ok {
				w.check(t, theirs, ours)
			}
			all = append(all, row{name, theirs, ours, equal, differences})
		})
	}
	t.Log(all.String())
}
