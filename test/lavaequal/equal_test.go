package lavaequal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/gantry-ci/gantry/cli"
	"github.com/gantry-ci/gantry/test/guest"
)

// jobTimeout ends a job that hangs: each has a timeout of its own, of five minutes.
const jobTimeout = 10 * time.Minute

// What the trials are run with; make trials does.
var (
	withLAVA = flag.Bool("lava", false, "run every job on LAVA's dispatcher too, and compare the times")
	record   = flag.Bool("record", false, "with -lava: write what LAVA's dispatcher gave to testdata/lava")
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"gantry": func() { os.Exit(cli.Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// patient has a kernel take no stall for its own that is the host's, on any load.
const patient = "rcupdate.rcu_cpu_stall_timeout=300 watchdog_thresh=60"

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
        image_arg: -kernel {kernel} -append "console=ttyS0 ` + patient + ` rdinit=/init no_timer_check"
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
	device string
	fill   *strings.Replacer
}

func newBench(t *testing.T) *bench {
	t.Helper()
	cache := guest.Images(t)
	if _, err := exec.LookPath("git"); err != nil {
		t.Skipf("%v (apt-get install git)", err)
	}
	device, err := filepath.Abs("testdata/device.yaml")
	if err != nil {
		t.Fatal(err)
	}
	repo, revision, archive := sources(t, t.TempDir())
	return &bench{device, strings.NewReplacer(
		"@KERNEL@", filepath.Join(cache, "vmlinuz"), "@RAMDISK@", filepath.Join(cache, "ramdisk.cpio.gz"),
		"@REPO@", repo, "@REVISION@", revision, "@ARCHIVE@", archive,
	)}
}

// lavaMissing says why LAVA's dispatcher cannot run here.
func lavaMissing() error {
	if _, err := exec.LookPath("lava-run"); err != nil {
		return fmt.Errorf("%w (apt-get install lava-dispatcher)", err)
	}
	if os.Getuid() != 0 {
		return errors.New("LAVA's dispatcher runs as root only")
	}
	return nil
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

// job writes a job's file.
func (b *bench) job(t *testing.T, src string) (path string) {
	t.Helper()
	src = head + src
	with := ""
	if strings.Contains(src, "definitions:") {
		with = withOverlay
	}
	path = filepath.Join(t.TempDir(), "job.yaml")
	if err := os.WriteFile(path, []byte(b.fill.Replace(strings.Replace(src, "@OVERLAY@", with, 1))), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ours runs a job here.
func (b *bench) ours(t *testing.T, src, device string) Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), jobTimeout)
	defer cancel()
	o, err := gantry(ctx, device, b.job(t, src), filepath.Join(t.TempDir(), "gantry"))
	if err != nil {
		t.Fatalf("gantry: %v", err)
	}
	return o
}

// both runs a job on both dispatchers at once.
func (b *bench) both(t *testing.T, src, device string) (theirs, ours Outcome) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), jobTimeout)
	defer cancel()
	ended := make(chan error, 1)
	dir := t.TempDir()
	path := b.job(t, src)
	go func() {
		var err error
		theirs, err = lava(ctx, jobID(t.Name()), device, path, filepath.Join(dir, "lava"))
		ended <- err
	}()
	ours = b.ours(t, src, device)
	if err := <-ended; err != nil {
		t.Fatalf("LAVA: %v", err)
	}
	return theirs, ours
}

// jobID is a number for a job on LAVA's dispatcher, which no other test on this machine has at the time.
func jobID(name string) int { return os.Getpid()*1000 + int(crc32.ChecksumIEEE([]byte(name))%1000) }

// alive are the jobs that run on LAVA's dispatcher in every test, where it is: what is recorded of it is still so.
func alive() []string { return []string{"helpers", "measurements", "sets"} }

// TestEqual runs every job of testdata here, and compares with what is recorded of LAVA's dispatcher, or with LAVA's
// dispatcher itself where it is asked to.
func TestEqual(t *testing.T) {
	b := newBench(t)
	missing := lavaMissing()
	if *withLAVA && missing != nil {
		t.Fatal(missing)
	}
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(f string) bool { return filepath.Base(f) == "device.yaml" })
	all := make(table, len(files))
	t.Cleanup(func() { t.Log(all.String()) })
	for i, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".yaml")
		t.Run(name, func(t *testing.T) {
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if !*withLAVA { // otherwise times are compared
				t.Parallel()
			}
			var theirs, ours Outcome
			if *withLAVA || missing == nil && slices.Contains(alive(), name) {
				theirs, ours = b.both(t, string(src), b.device)
			} else {
				theirs, ours = recorded(t, name), b.ours(t, string(src), b.device)
			}
			all[i] = b.compare(t, name, theirs, ours)
			if *record {
				write(t, name, theirs)
			}
		})
	}
}

// compare holds that the two differ where they may, and nowhere else.
func (b *bench) compare(t *testing.T, name string, theirs, ours Outcome) row {
	t.Helper()
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
	return row{name, theirs, ours, equal, differences}
}

// recording is the file with what LAVA's dispatcher gave for a job: its verdict, and a result a line.
func recording(name string) string { return filepath.Join("testdata", "lava", name+".jsonl") }

// verdictLine is a recording's first line.
type verdictLine struct{ Verdict string }

func recorded(t *testing.T, name string) (o Outcome) {
	t.Helper()
	f, err := os.Open(recording(name))
	if err != nil {
		t.Fatalf("%v (make trials TRIAL=lavaequal ARGS=-record writes it)", err)
	}
	defer f.Close()
	lines := json.NewDecoder(f)
	var first verdictLine
	err = lines.Decode(&first)
	for o.Verdict = first.Verdict; err == nil && lines.More(); {
		var r Result
		if err = lines.Decode(&r); err == nil {
			o.Results = append(o.Results, r)
		}
	}
	if err != nil || o.Verdict == "" {
		t.Fatalf("read %s: %v", f.Name(), err)
	}
	return o
}

func write(t *testing.T, name string, o Outcome) {
	t.Helper()
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	lines.SetEscapeHTML(false)
	err := lines.Encode(verdictLine{o.Verdict})
	for _, r := range o.Results {
		err = errors.Join(err, lines.Encode(r))
	}
	if err = errors.Join(err, os.WriteFile(recording(name), b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
}
