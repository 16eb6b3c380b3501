package testshell_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	"github.com/gantry-ci/gantry/runner/testshell"
)

// definition is a test definition of a job, and of the overlay that its deploy would have made.
type definition struct {
	name  string
	steps []string
}

// runDefinitions runs test actions, one a list of definitions, with the helpers' own scripts in a shell of this host.
// It returns the cases, as "suite/case=result", and what was logged.
func runDefinitions(
	t *testing.T, retries int, damage func([]byte) []byte, actions ...[]definition,
) (cases, log []string, err error) {
	t.Helper()
	spec := &overlay.Spec{ID: "7", Shell: "/bin/sh", ResultsDir: filepath.Join(t.TempDir(), "lava-%s")}
	src := "job_name: j\ndevice_type: d\nvisibility: public\ntimeouts: {job: {minutes: 1}}\n" +
		"actions:\n- boot: {method: minimal}\n"
	index := 0
	for _, defs := range actions {
		src += "- test:\n    definitions:\n"
		var stage overlay.Stage
		for _, d := range defs {
			src += fmt.Sprintf("    - {from: inline, name: %s, path: x.yaml, repository: {metadata: "+
				"{format: Lava-Test Test Definition 1.0, name: x}, run: {steps: ['true']}}}\n", d.name)
			stage.Definitions = append(stage.Definitions, overlay.Definition{
				Name: d.name, Index: index, UUID: fmt.Sprintf("7_%d", index), Steps: d.steps,
			})
			index++
		}
		spec.Stages = append(spec.Stages, stage)
	}
	unpack(t, spec)
	j, report := jobs.ParseJob([]byte(src), schema.Strict)
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	sh := startDamagedShell(t, damage)
	boot := plan.For(func(b *plan.Builder, _ *jobs.BootMinimal) {
		session := plan.Provide(b, flow.Shell)
		*plan.Provide(b, flow.TestOverlay) = spec
		b.Step("shell", results.ClassBug, func(context.Context, *plan.Run) error {
			session.Begin(sh)
			return nil
		})
	})
	p, err := plan.Make(plan.Options{
		Job: j, Target: &dut.Target{Name: "board"}, Methods: append(testshell.Methods(retries), boot), RunID: "7",
	})
	if err != nil {
		t.Fatal(err)
	}
	jr, err := journal.Open(filepath.Join(t.TempDir(), "journal"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = jr.Close() }()
	err = p.Execute(t.Context(), &plan.Run{ID: "7", Journal: jr, Emit: func(e results.Event) {
		if c := e.Case; c != nil && (c.Suite != results.PipelineSuite || strings.Contains(c.Case, "_")) {
			cases = append(cases, c.Suite+"/"+c.Case+"="+c.Result)
		}
		if e.Log != nil {
			log = append(log, e.Log.Message)
		}
	}})
	return cases, log, err
}

// unpack puts the overlay where it says.
func unpack(t *testing.T, spec *overlay.Spec) {
	t.Helper()
	content, err := overlay.Build(spec)
	if err != nil {
		t.Fatal(err)
	}
	for f := range content.Files() {
		if err := write(filepath.Join("/", f.Path), f); err != nil {
			t.Fatalf("unpack the overlay: %v", err)
		}
	}
}

func write(path string, f overlay.File) error {
	switch f.Mode.Type() {
	case fs.ModeDir:
		return os.MkdirAll(path, f.Mode.Perm())
	case fs.ModeSymlink:
		return os.Symlink(f.Link, path)
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	b, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close(), os.MkdirAll(filepath.Dir(path), 0o755)); err != nil {
		return err
	}
	return os.WriteFile(path, b, f.Mode.Perm())
}

// damaged is a console that changes what it is given.
type damaged struct {
	io.ReadWriteCloser
	damage func([]byte) []byte
}

func (d *damaged) Read(b []byte) (int, error) {
	n, err := d.ReadWriteCloser.Read(b)
	return copy(b, d.damage(bytes.Clone(b[:n]))), err
}

// TestDefinitions runs definitions that pass, fail, end early and raise, in two test actions.
func TestDefinitions(t *testing.T) {
	smoke := definition{"smoke", []string{
		"lava-test-case one --result pass", "lava-test-case two --shell false", "lava-test-case three --result skip",
	}}
	for _, tt := range []struct {
		name    string
		actions [][]definition
		cases   []string
		message string
		class   results.Class
	}{
		{
			"to the end",
			[][]definition{{smoke}, {{"more", []string{"lava-test-case four --result pass"}}}},
			[]string{
				"0_smoke/one=pass", "0_smoke/two=fail", "0_smoke/three=skip", "lava/0_smoke=pass", "1_more/four=pass",
				"lava/1_more=pass",
			},
			"", "",
		},
		{
			"early",
			[][]definition{{{"early", []string{"false", "lava-test-case never --result pass"}}, {"smoke", smoke.steps}}},
			[]string{
				"lava/0_early=fail", "1_smoke/one=pass", "1_smoke/two=fail", "1_smoke/three=skip", "lava/1_smoke=pass",
			},
			"0_early: a step failed with status 1 and ended the run", results.ClassTest,
		},
		{
			"raised",
			[][]definition{{{"raise", []string{"lava-test-case one --result pass", "lava-test-raise enough"}}}, {smoke}},
			[]string{"0_raise/one=pass", "lava/0_raise=fail", "lava/1_smoke=missing"},
			"the test raised: enough", results.ClassTest,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cases, log, err := runDefinitions(t, 0, nil, tt.actions...)
			if d := cmp.Diff(tt.cases, cases); d != "" {
				t.Errorf("cases (-want +got):\n%s%s", d, strings.Join(log, "\n"))
			}
			if tt.message == "" && err != nil || !strings.Contains(fmt.Sprint(err), tt.message) ||
				results.ClassOf(err) != tt.class {
				t.Errorf("class %q, %v", results.ClassOf(err), err)
			}
		})
	}
}

// TestDefinitionsDamaged has the console spoil a signal, its record in the manifest, and the manifest's last line,
// which the target repeats.
func TestDefinitionsDamaged(t *testing.T) {
	left := map[string]int{"ID=two": 2, "GANTRY_MANIFEST": 1} // how often each is still to be spoiled
	cases, log, err := runDefinitions(t, 0, func(b []byte) []byte {
		for what, n := range left {
			left[what] -= min(n, bytes.Count(b, []byte(what)))
			b = bytes.Replace(b, []byte(what), []byte("#"+what[1:]), n)
		}
		return b
	}, []definition{{"smoke", []string{"lava-test-case one --result pass", "lava-test-case two --result fail"}}})
	if err != nil {
		t.Error(err)
	}
	if d := cmp.Diff([]string{"0_smoke/one=pass", "0_smoke/two=fail", "lava/0_smoke=pass"}, cases); d != "" {
		t.Errorf("cases (-want +got):\n%s", d)
	}
	if text := strings.Join(log, "\n"); !strings.Contains(text, "the target is asked to repeat them") {
		t.Errorf("the target was not asked again:\n%s", text)
	}
}

// TestDefinitionsAgain runs the definition of a failed case again, and no other.
func TestDefinitionsAgain(t *testing.T) {
	been := filepath.Join(t.TempDir(), "been")
	flaky := "lava-test-case flaky --shell test -e " + been
	cases, log, err := runDefinitions(t, 1, nil, []definition{
		{"steady", []string{"lava-test-case steady --result pass"}}, {"flaky", []string{flaky, "touch " + been}},
	})
	if err != nil {
		t.Error(err)
	}
	want := []string{
		"0_steady/steady=pass", "lava/0_steady=pass", "1_flaky/flaky=fail", "lava/1_flaky=pass",
		"1_flaky/flaky=pass", "lava/1_flaky=pass",
	}
	if d := cmp.Diff(want, cases); d != "" {
		t.Errorf("cases (-want +got):\n%s%s", d, strings.Join(log, "\n"))
	}
	if _, err := os.Stat(been); err != nil {
		t.Error(err)
	}
}
