package deploy

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/plan"
)

// repository makes a git repository with a test definition, and returns its URL.
func repository(t *testing.T, name, definition string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	tool(t, "git", "init", "--quiet", dir)
	if err := os.WriteFile(filepath.Join(dir, "smoke.yaml"), []byte(definition), 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, "git", "-C", dir, "add", ".")
	tool(t, "git", "-C", dir, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "one")
	return "file://" + dir
}

// TestLibrary fetches a repository one time for all the definitions that come from it, once more when the deploy is
// tried again, and hands what it read to the tests.
func TestLibrary(t *testing.T) {
	helpers := repository(t, "helpers", "a: file\n")
	tests := repository(t, "tests", fmt.Sprintf(`metadata: {format: Lava-Test Test Definition 1.0, name: smoke}
params: {GREETING: hello}
install: {git-repos: [{url: %q, destination: lib}]}
run: {steps: ["echo $GREETING"]}
`, helpers))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rd"), []byte("070701"), 0o600); err != nil {
		t.Fatal(err)
	}
	src := fmt.Sprintf(`%s      rd: {url: "file://%s/rd", image_arg: "-initrd {rd}"}
    failure_retry: 2
- test: {definitions: [{from: git, name: a, path: smoke.yaml, repository: %[3]q, parameters: {GREETING: bye}},
    {from: git, name: b, path: smoke.yaml, repository: %[3]q}]}
`, tmpfsJob, dir, tests)
	j, report := jobs.ParseJob([]byte(src), schema.Lenient)
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	attempts := 0
	flaky := plan.For(func(b *plan.Builder, p *jobs.DeployTmpfs) {
		tmpfs(b, p)
		b.Step("flaky", results.ClassInfrastructure, func(context.Context, *plan.Run) error {
			if attempts++; attempts == 1 {
				return fmt.Errorf("attempt %d", attempts)
			}
			return nil
		})
	})
	read := plan.For(func(b *plan.Builder, p *jobs.TestDefinitions) {
		images, sources := plan.Require(b, flow.Deployed), plan.Require(b, flow.TestSources)
		b.Step("read", results.ClassBug, func(context.Context, *plan.Run) error {
			rd, err := os.ReadFile(images.Files["rd"].Path)
			for _, want := range []string{
				"/0/tests/0_a/run.sh\x00", "/0/tests/1_b/run.sh\x00", "GREETING='bye'\n", "GREETING='hello'\n",
				"/0/tests/0_a/lib/smoke.yaml\x00", "/0/tests/1_b/lib/smoke.yaml\x00", "COMMIT: ",
			} {
				if !bytes.Contains(rd, []byte(want)) {
					t.Errorf("the overlay has no %q", want)
				}
			}
			for i := range p.Definitions {
				if def := (*sources)[&p.Definitions[i]]; def == nil || def.Metadata.Name != "smoke" {
					t.Errorf("definition %d: %+v", i, def)
				}
			}
			return err
		})
	})
	p, err := plan.Make(plan.Options{
		Job: j, Target: &dut.Target{Name: "qemu01"}, Policy: plan.Policy{Operator: true}, RunID: "7",
		Methods: []plan.Method{flaky, read},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := attempt(t)
	fetched := map[string]int{}
	r.Emit = func(e results.Event) {
		if e.Log != nil && strings.Contains(e.Log.Message, ": fetched ") {
			fetched[filepath.Base(strings.SplitN(e.Log.Message, ": fetched ", 2)[0])]++
		}
	}
	if err := p.Execute(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if fetched["tests"] != 2 || fetched["helpers"] != 2 || attempts != 2 {
		t.Errorf("%d attempts fetched %v", attempts, fetched)
	}
	if err := r.Journal.Rollback(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(r.Dir); err != nil || len(left) != 1 { // the journal
		t.Errorf("left are %v, %v", left, err)
	}
}
