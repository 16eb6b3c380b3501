package runner_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/plan"
	"github.com/gantry-ci/gantry/test/guest"
)

// device is what the lab's operator wrote.
const device = `name: guest-1
type: qemu
boot:
  qemu:
    command: qemu-system-x86_64
    options: ["-nographic", "-m 256"]
`

// patient has a kernel take no stall for its own that is the host's, on any load.
const patient = "rcupdate.rcu_cpu_stall_timeout=300 watchdog_thresh=60"

// job is one whose parts tests replace.
var job = template.Must(template.New("job").Parse(`job_name: {{.Name}}
device_type: qemu
visibility: public
timeouts: {job: {seconds: {{.JobSeconds}}}, action: {seconds: {{.ActionSeconds}}}}
{{.Top}}
actions:
- deploy:
    to: tmpfs
    images:
      kernel: {url: "{{.Kernel}}", image_arg: '-kernel {kernel} -append "console=ttyS0 ` + patient +
	` {{.Append}}"'{{.KernelKeys}}}
      ramdisk: {url: "{{.Ramdisk}}", image_arg: "{{.RamdiskArg}}"}
- boot: {method: qemu, media: tmpfs, prompts: ['gantry:.*# '], timeout: {seconds: {{.BootSeconds}}}}
- test:
    timeout: {seconds: {{.TestSeconds}}}
    definitions:
    - from: inline
      name: smoke
      path: inline/smoke.yaml
      repository:
        metadata: {format: Lava-Test Test Definition 1.0, name: smoke}
        run: {steps: {{.Steps}}}
`))

type params struct {
	Name, Top, Kernel, Append, KernelKeys, Ramdisk, RamdiskArg, Steps string
	JobSeconds, ActionSeconds, BootSeconds, TestSeconds               int
}

// source is a job that passes, changed.
func source(t *testing.T, change func(p *params)) []byte {
	t.Helper()
	p := params{
		Name: "smoke", Kernel: "file:///vmlinuz", Append: "rdinit=/init", Ramdisk: "file:///ramdisk.cpio.gz",
		RamdiskArg: "-initrd {ramdisk}",
		Steps:      `["lava-test-case uname --shell uname"]`, JobSeconds: 300, BootSeconds: 180, TestSeconds: 120,
	}
	if change != nil {
		change(&p)
	}
	p.ActionSeconds = min(p.JobSeconds, 180)
	p.BootSeconds, p.TestSeconds = min(p.JobSeconds, p.BootSeconds), min(p.JobSeconds, p.TestSeconds)
	var b bytes.Buffer
	if err := job.Execute(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// images is the folder of the kernel and the ramdisk: the runner's file root.
func images(t *testing.T) string {
	t.Helper()
	return guest.Images(t)
}

// serve runs a job as the lab would, for a stranger.
func serve(t *testing.T, src []byte, policy plan.Policy, change ...func(*runner.Options)) (*results.Results, string) {
	t.Helper()
	return serveOn(t, device, src, policy, change...)
}

// serveOn runs it on a device of one's own.
func serveOn(
	t *testing.T, device string, src []byte, policy plan.Policy, change ...func(*runner.Options),
) (*results.Results, string) {
	t.Helper()
	j, r := jobs.ParseJob(src, schema.Strict)
	if err := r.Err(); err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	d, r := jobs.ParseDevice([]byte(device))
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	id := strings.ToLower(regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(t.Name(), "-"))
	id = fmt.Sprintf("test-%d-%s", os.Getpid(), id[:min(len(id), 50)])
	tg, err := dut.New(d, dut.Options{ID: id, Operator: policy.Operator})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Cleanup(func() { explain(t, dir) })
	o := runner.Options{
		ID: "7", Attempt: 1, Job: j, Target: tg, Dir: dir, Policy: policy, Logger: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&o)
	}
	res, err := runner.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if left := guests(t, id); left != "" {
		t.Errorf("left running: %s", left)
	}
	if _, err := os.Stat(filepath.Join(dir, "images")); err == nil {
		t.Error("images are left")
	}
	return res, dir
}

// explain logs the ends of a run's console and events where the test has failed.
func explain(t *testing.T, dir string) {
	t.Helper()
	if !t.Failed() {
		return
	}
	for name, most := range map[string]int{results.ConsoleLog(""): 8 << 10, results.EventsFile: 16 << 10} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			t.Logf("%s:\n%s", name, b[max(0, len(b)-most):])
		}
	}
}

// guests are the processes of the guest of that id, a line each.
func guests(t *testing.T, id string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "pgrep", "-af", "gantry-"+id+"( |$)").Output()
	if e := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &e) || e.ExitCode() != 1) { // 1 is none
		t.Fatal(err)
	}
	return string(out)
}

// verdict is what a test looks at.
type verdict struct {
	Verdict string
	Class   results.Class
	Message string // a part of it
	Cases   string
}

func check(t *testing.T, res *results.Results, want verdict) {
	t.Helper()
	var cases []string
	for _, c := range res.Cases {
		if c.Suite != results.PipelineSuite {
			cases = append(cases, c.Suite+"/"+c.Case+"="+c.Result)
		}
	}
	got := verdict{res.Verdict.Verdict, res.Class, res.Message, strings.Join(cases, " ")}
	if strings.Contains(got.Message, want.Message) {
		got.Message = want.Message
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestVerdicts boots a real kernel for each way a run can end.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	root := images(t)
	for _, tt := range []struct {
		name   string
		change func(p *params)
		want   verdict
	}{
		{"pass", nil, verdict{"pass", "", "", "0_smoke/uname=pass"}},
		{"a failing test", func(p *params) {
			p.Steps = `["lava-test-case uname --shell uname", "lava-test-case no --shell false"]`
		}, verdict{"fail", results.ClassTest, "0_smoke/no failed", "0_smoke/uname=pass 0_smoke/no=fail"}},
		{"a step that ends the run early", func(p *params) {
			p.Steps = `["lava-test-case uname --shell uname", "false", "lava-test-case never --shell true"]`
		}, verdict{"fail", results.ClassTest, "0_smoke", "0_smoke/uname=pass"}},
		{
			"a kernel that panics while booting", func(p *params) { p.Append = "rdinit=/missing init=/missing panic=-1" },
			verdict{"fail", results.ClassJob, "login-action: kernel panic: VFS: Unable to mount root fs", ""},
		},
		{
			"a guest that hangs", func(p *params) { p.Append, p.BootSeconds = "rdinit=/bin/busybox -- sleep 100000", 25 },
			verdict{"fail", results.ClassJob, "timed out after 25s", ""},
		},
		{"a test that hangs", func(p *params) {
			p.Steps, p.TestSeconds = `["lava-test-case uname --shell uname", "sleep 100000"]`, 30
		}, verdict{"incomplete", results.ClassTimeout, "timed out after 30s", "0_smoke/uname=pass"}},
		{"a panic during a test", func(p *params) {
			p.Steps = `["lava-test-case uname --shell uname", "echo c > /proc/sysrq-trigger", ` +
				`"lava-test-case never --shell true"]`
		}, verdict{"incomplete", results.ClassTest, "sysrq", "0_smoke/uname=pass"}},
		{"a test that floods the console", func(p *params) {
			p.Steps = `["lava-test-case uname --shell uname", "yes", "lava-test-case never --shell true"]`
		}, verdict{"fail", results.ClassJob, "the target printed more than 262144 bytes", "0_smoke/uname=pass"}},
		{
			"a job out of time", func(p *params) { p.JobSeconds, p.Steps = 15, `["sleep 100000"]` },
			verdict{"incomplete", results.ClassTimeout, "job timed out after 15s", ""},
		},
		{
			"an image that is none", func(p *params) { p.Kernel = "file:///ramdisk.cpio.gz" },
			verdict{"fail", results.ClassJob, "", ""},
		},
		{
			"a wrong checksum", func(p *params) { p.KernelKeys = ", sha256sum: \"00\"" },
			verdict{"fail", results.ClassJob, "expected 00", ""},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res, _ := serve(t, source(t, tt.change), plan.Policy{FileRoots: []string{root}, ConsoleLimit: 256 << 10})
			check(t, res, tt.want)
		})
	}
}

// TestHostile has a stranger's job ask for what it may not have: it is refused with its line, and nothing is started.
func TestHostile(t *testing.T) {
	t.Parallel()
	root := images(t)
	for _, tt := range []struct {
		name   string
		change func(p *params)
		want   string
	}{
		{
			"a character device that writes files",
			func(p *params) { p.RamdiskArg = "-initrd {ramdisk} -chardev file,id=x,path=/tmp/x" },
			"line 11: boot qemu: image_arg of ramdisk: image_arg \"-initrd {ramdisk} -chardev file,id=x,path=/tmp/x\": " +
				"-chardev is not allowed in a served job",
		},
		{
			"a drive of the host's file", func(p *params) { p.RamdiskArg = "-initrd {ramdisk} -drive file=/etc/shadow" },
			"/etc/shadow",
		},
		{
			"extra options", func(p *params) { p.Top = "context: {extra_options: [-monitor, stdio]}" },
			"line 5: boot qemu: context.extra_options: not allowed in a served job",
		},
		{
			"a file of the host", func(p *params) { p.Kernel = "file:///etc/shadow" },
			"line 10: deploy tmpfs: url: file:///etc/shadow: not below one of the runner's file_roots",
		},
		{
			"the cloud's metadata", func(p *params) { p.Kernel = "http://169.254.169.254/latest/meta-data/" },
			"line 10: deploy tmpfs: url: 169.254.169.254 is a link-local address",
		},
		{"this host", func(p *params) { p.Kernel = "http://localhost:1/vmlinuz" }, "is a loopback address"},
		{
			"an image named like a path",
			func(p *params) { p.Ramdisk, p.RamdiskArg = "file:///x", "x\"}\n      ../../x: {url: \"file:///vmlinuz" }, "../../x",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res, dir := serve(t, source(t, tt.change), plan.Policy{FileRoots: []string{root}})
			check(t, res, verdict{"fail", results.ClassJob, tt.want, ""})
			t.Logf("refused: %s", res.Message)
			if b, err := os.ReadFile(filepath.Join(dir, results.ConsoleLog(""))); err == nil && len(b) > 0 {
				t.Errorf("a guest was started: %q", b)
			}
		})
	}
}

// TestFiles holds what a run leaves.
func TestFiles(t *testing.T) {
	t.Parallel()
	root := images(t)
	res, dir := serve(t, source(t, func(p *params) {
		p.Steps = `["lava-test-set start s", "lava-test-case m --result pass --measurement 3.5 --units ms", ` +
			`"lava-test-set stop s"]`
	}), plan.Policy{FileRoots: []string{root}})
	var file results.Results
	b, err := os.ReadFile(filepath.Join(dir, runner.ResultsFile))
	if err == nil {
		err = json.Unmarshal(b, &file)
	}
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(*res, file, cmpopts.IgnoreUnexported(results.Results{})); d != "" {
		t.Errorf("results.json is not what Run returned: %s", d)
	}
	fold := results.NewResults()
	events, err := os.ReadFile(filepath.Join(dir, results.EventsFile))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(events) {
		var e results.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		fold.Apply(e)
	}
	if d := cmp.Diff(fold, res, cmpopts.IgnoreUnexported(results.Results{})); d != "" {
		t.Errorf("the fold of events.jsonl is not the results: %s", d)
	}
	text, err := os.ReadFile(filepath.Join(dir, results.ConsoleLog("")))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(text, []byte("\n"))
	for _, c := range res.Cases {
		if c.Case != "m" {
			continue
		}
		if c.Set == nil || *c.Set != "s" || c.Measurement == nil || *c.Measurement != 3.5 || c.Units == nil ||
			*c.Units != "ms" {
			t.Errorf("got %+v", c)
		}
		if c.LogLine == nil || !bytes.Contains(lines[*c.LogLine-1], []byte("TEST_CASE_ID=m")) {
			t.Errorf("log_line %v is not where the case is", c.LogLine)
		}
	}
	checkTimes(t, filepath.Join(dir, results.ConsoleTimes("")), int64(len(text)), res)
	for _, name := range []string{runner.JUnitFile, runner.PlanFile} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// checkTimes holds when the bytes of the console came: in order, from the first on, while the run went on.
func checkTimes(t *testing.T, path string, size int64, res *results.Results) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last, before := int64(-1), res.Started
	for line := range strings.Lines(string(b)) {
		a, err := results.ParseArrival(line)
		off, at := a.Offset, a.Time
		if err != nil || off <= last || off >= size || last < 0 && off != 0 || at.Before(before.Truncate(time.Microsecond)) ||
			at.After(res.Finished) {
			t.Fatalf("line %q after offset %d at %s of a console of %d bytes, error %v", line, last, before, size, err)
		}
		last, before = off, at
	}
	if last < size/2 {
		t.Errorf("the last mark is at %d of %d bytes", last, size)
	}
}

// TestKill kills a runner in the middle of a run and lets another one clean up.
func TestKill(t *testing.T) {
	t.Parallel()
	const env, envID = "GANTRY_TEST_KILL_DIR", "GANTRY_TEST_KILL_ID"
	src := source(t, func(p *params) { p.Append = "rdinit=/bin/busybox -- sleep 100000" })
	j, r := jobs.ParseJob(src, schema.Strict)
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	d, r := jobs.ParseDevice([]byte(device))
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	id := fmt.Sprintf("test-%d-killed", os.Getpid())
	if parent := os.Getenv(envID); parent != "" {
		id = parent
	}
	tg, err := dut.New(d, dut.Options{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv(env); dir != "" {
		_, err := runner.Run(t.Context(), runner.Options{
			ID: "7", Attempt: 1, Job: j, Target: tg, Dir: dir, Policy: plan.Policy{FileRoots: []string{images(t)}},
			Logger: slog.New(slog.DiscardHandler),
		})
		t.Fatal("not killed", err)
	}
	images(t)
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$")
	cmd.Env = append(os.Environ(), env+"="+dir, envID+"="+id)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	running := func() bool { return guests(t, id) != "" }
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for tick := time.NewTicker(20 * time.Millisecond); !running(); {
		select {
		case err := <-ended:
			t.Fatalf("it ended without a guest: %v", err)
		case <-tick.C:
		}
	}
	_, _ = cmd.Process.Kill(), <-ended
	if err := runner.Recover(t.Context(), dir, tg.Undoers); err != nil {
		t.Fatal(err)
	}
	if running() {
		t.Error("the guest outlived its runner")
	}
	if _, err := os.Stat(filepath.Join(dir, "images")); err == nil {
		t.Error("images are left")
	}
}
