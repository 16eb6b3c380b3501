package plan_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/plan"
)

const job = `job_name: smoke
device_type: qemu
visibility: public
timeouts:
  job: {minutes: 10}
  action: {minutes: 2}
  actions: {login-action: {seconds: 50}, boot-image-retry: {seconds: 40}}
  connections: {login-action: {seconds: 7}}
actions:
- deploy: {to: tmpfs, images: {kernel: {url: "file:///k", image_arg: "-kernel {kernel}"}}}
- boot: {method: qemu, prompts: ['# '], failure_retry: 2, timeout: {minutes: 3}, timeouts: {expect: {seconds: 11}}}
- test: {definitions: [], timeout: {minutes: 1, skip: true}, repeat: 2}
`

func parse(t *testing.T, src string) *jobs.Job {
	t.Helper()
	j, r := jobs.ParseJob([]byte(src), schema.Strict)
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	return j
}

func methods() []plan.Method {
	nothing := func(context.Context, *plan.Run) error { return nil }
	return []plan.Method{
		plan.For(func(b *plan.Builder, _ *jobs.DeployTmpfs) {
			b.Name("deployimages")
			b.Step("deploy-folder", results.ClassInfrastructure, nothing)
		}),
		plan.For(func(b *plan.Builder, _ *jobs.BootQemu) {
			b.Name("boot-image-retry")
			b.Step("login-action", results.ClassJob, nothing)
			b.Step("expect", results.ClassJob, nothing)
		}),
		plan.For(func(b *plan.Builder, _ *jobs.TestDefinitions) {
			b.Step("lava-test-shell", results.ClassInfrastructure, nothing)
		}),
	}
}

// TestTimeouts holds LAVA's order: global action, global by name, the block's, the block's own by name; the share of
// a retried block is what its steps have.
func TestTimeouts(t *testing.T) {
	p, err := plan.Make(plan.Options{Job: parse(t, job), Target: &dut.Target{Name: "x"}, Methods: methods()})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Print(&b); err != nil {
		t.Fatal(err)
	}
	want := `job                                           10m0s
1        deployimages                         2m0s
1.1        deploy-folder                      2m0s     blames infrastructure
2        boot-image-retry                     3m0s     connection 30s attempts 2
2.1        login-action                       1m30s    connection 7s blames job
2.2        expect                             11s      connection 30s blames job
3        test definitions                     1m0s     connection 30s skip
3.1        lava-test-shell                    1m0s     connection 30s blames infrastructure
4        test definitions                     1m0s     connection 30s skip
4.1        lava-test-shell                    1m0s     connection 30s blames infrastructure
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

func TestUnexecutedMethodIsRefusedWithItsLine(t *testing.T) {
	_, err := plan.Make(plan.Options{Job: parse(t, job), Target: &dut.Target{Name: "x"}, Methods: methods()[:2]})
	const want = "line 12: test definitions: is valid, but gantry does not execute it yet"
	if err == nil || err.Error() != want || results.ClassOf(err) != results.ClassJob {
		t.Errorf("got %v (%s)\nwant %s", err, results.ClassOf(err), want)
	}
}

func TestWhatIsMissing(t *testing.T) {
	private := plan.Slot[int]{Name: "a shell"}
	needy := plan.For(func(b *plan.Builder, _ *jobs.DeployTmpfs) {
		plan.Need(b, "power control", b.Target.Power)
		plan.Require(b, private)
	})
	_, err := plan.Make(plan.Options{
		Job: parse(t, job), Target: &dut.Target{Name: "rpi4-1"}, Methods: append([]plan.Method{needy}, methods()[1]),
	})
	for _, want := range []string{
		"line 10: deploy tmpfs: rpi4-1 has no power control",
		`line 10: deploy tmpfs: needs a shell, which no earlier action of namespace "common" provides`,
		"line 12: test definitions: is valid",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
}

func TestPanicIsABug(t *testing.T) {
	bad := plan.For(func(*plan.Builder, *jobs.DeployTmpfs) { panic("no") })
	_, err := plan.Make(plan.Options{Job: parse(t, job), Target: &dut.Target{Name: "x"}, Methods: []plan.Method{bad}})
	if results.ClassOf(err) != results.ClassBug {
		t.Errorf("%v is of class %q", err, results.ClassOf(err))
	}
}

func TestRepeatIsBounded(t *testing.T) {
	src := strings.Replace(job, "repeat: 2", "repeat: 300000", 1)
	_, err := plan.Make(plan.Options{Job: parse(t, src), Target: &dut.Target{Name: "x"}, Methods: methods()})
	if err == nil || !strings.Contains(err.Error(), "line 12: test definitions: the job has more than 1000 actions") {
		t.Errorf("a repeat beyond reason: %v", err)
	}
}
