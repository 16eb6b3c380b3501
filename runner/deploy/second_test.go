package deploy

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/runner/overlay"
	"github.com/gantry-ci/gantry/runner/plan"
)

// twoDeploys has two tests after the first deploy, one after the second, and one in another namespace.
const twoDeploys = `job_name: j
visibility: public
device_type: qemu
timeouts: {job: {minutes: 5}}
actions:
- deploy: {to: tmpfs, images: &images {rd: {url: "file://DIR/rd", image_arg: "-initrd {rd}"}}, namespace: one}
- test: {definitions: [&a {from: inline, name: a, path: a.yaml, repository: &def {
    metadata: {format: Lava-Test Test Definition 1.0, name: x}, run: {steps: ["true"]}}},
    {from: inline, name: b, path: b.yaml, repository: *def}], namespace: one}
- test: {definitions: [{from: inline, name: c, path: c.yaml, repository: *def}], namespace: one}
- deploy: {to: tmpfs, images: *images, namespace: other}
- test: {definitions: [*a], namespace: other}
- deploy: {to: tmpfs, images: *images, namespace: one}
- test: {definitions: [{from: inline, name: d, path: d.yaml, repository: *def}], namespace: one}
- deploy: {to: tmpfs, images: *images, namespace: one}
`

// TestSecondDeploy runs the deploys of a job, and finds in each overlay the tests that it is for.
func TestSecondDeploy(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rd"), []byte("070701"), 0o600); err != nil {
		t.Fatal(err)
	}
	src := bytes.ReplaceAll([]byte(twoDeploys), []byte("DIR"), []byte(dir))
	job, report := jobs.ParseJob(src, schema.Lenient)
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	var got []string
	tests := plan.For(func(b *plan.Builder, p *jobs.TestDefinitions) {
		spec, images := *plan.Require(b, flow.TestOverlay), plan.Require(b, flow.Deployed)
		stage, first := flow.Stage(b, p)
		b.Step("read", results.ClassBug, func(context.Context, *plan.Run) error {
			rd, err := os.ReadFile(images.Files["rd"].Path)
			def := overlay.Definition{Index: first, Name: p.Definitions[0].Name}
			for i := range 3 { // in which stages the ramdisk has the first definition
				if bytes.Contains(rd, []byte("/"+string(rune('0'+i))+"/tests/"+def.Run()+"/run.sh")) {
					got = append(got, def.Run()+" is in stage "+string(rune('0'+i)))
				}
			}
			got = append(got, spec.Commands(stage, 0)[2], "definitions "+string(rune('0'+bytes.Count(rd, []byte("/uuid\x00")))))
			return err
		})
	})
	p, err := plan.Make(plan.Options{
		Job: job, Target: &dut.Target{Name: "qemu01"}, Policy: plan.Policy{Operator: true},
		Methods: append(Methods(), tests), RunID: "7",
	})
	if err != nil {
		t.Fatal(err)
	}
	r := attempt(t)
	if err := p.Execute(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"0_a is in stage 0", "/lava-7/bin/lava-test-runner /lava-7/0 0", "definitions 3",
		"2_c is in stage 1", "/lava-7/bin/lava-test-runner /lava-7/1 0", "definitions 3",
		"0_a is in stage 0", "/lava-7/bin/lava-test-runner /lava-7/0 0", "definitions 1",
		"3_d is in stage 2", "/lava-7/bin/lava-test-runner /lava-7/2 0", "definitions 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := r.Journal.Rollback(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(r.Dir); err != nil || len(left) != 1 { // the journal
		t.Errorf("left are %v, %v", left, err)
	}
}

// TestRetriedDeploy takes back what the second deploy made, and leaves the first one's.
func TestRetriedDeploy(t *testing.T) {
	r := attempt(t)
	first, second := filepath.Join(imagesDir, "0"), filepath.Join(imagesDir, "1")
	if err := makeFolder(r, first, 0o711); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		mark := r.Journal.Mark()
		if err := makeFolder(r, second, 0o711); err != nil {
			t.Fatal(err)
		}
		if err := r.Journal.Rollback(t.Context(), mark); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(r.Dir, imagesDir, "*")); err != nil || len(left) != 1 {
		t.Errorf("left are %v, %v", left, err)
	}
}

// TestForeignFolder: what somebody else left in the run's folder is no folder of the run, and is not removed.
func TestForeignFolder(t *testing.T) {
	r := attempt(t)
	name := filepath.Join(imagesDir, "0")
	theirs := filepath.Join(r.Dir, name, "precious")
	if err := errors.Join(os.MkdirAll(filepath.Dir(theirs), 0o755), os.WriteFile(theirs, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := makeFolder(r, name, 0o711); err == nil || !strings.Contains(err.Error(), "it is there already") {
		t.Errorf("got %v", err)
	}
	if err := r.Journal.Rollback(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(theirs); err != nil {
		t.Error(err)
	}
}

// attempt is one in a folder of its own.
func attempt(t *testing.T) *plan.Run {
	t.Helper()
	dir := t.TempDir()
	j, err := journal.Open(filepath.Join(dir, "journal"), Undoers())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return &plan.Run{
		ID: "7", Dir: dir, Journal: j, Logger: slog.New(slog.DiscardHandler),
		Emit: func(e results.Event) {
			if e.Log != nil {
				t.Log(e.Log.Message)
			}
		},
	}
}
