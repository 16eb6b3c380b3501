package boot

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/plan"
)

// claimed plans a job that boots a guest in each of the namespaces, and returns the names of their records.
func claimed(t *testing.T, namespaces ...string) ([]string, error) {
	t.Helper()
	src := "job_name: j\ndevice_type: d\nvisibility: public\ntimeouts: {job: {minutes: 1}}\nactions:\n"
	for _, n := range namespaces {
		src += fmt.Sprintf("- boot: {method: minimal, namespace: %q}\n", n)
	}
	j, r := jobs.ParseJob([]byte(src), schema.Strict)
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	var names recordNames
	var got []string
	_, err := plan.Make(plan.Options{Job: j, Target: &dut.Target{Name: "d"}, Methods: []plan.Method{
		plan.For(func(b *plan.Builder, p *jobs.BootMinimal) { got = append(got, names.guest(b, p.Namespace)) }),
	}})
	return got, err
}

// TestRecordNames has namespaces of all sorts: each guest has a record of its own, under a name that a file can have,
// and a second boot of a namespace goes on in the first one's.
func TestRecordNames(t *testing.T) {
	long := strings.Repeat("x", 60)
	got, err := claimed(t, "server", "client", "server", "Client", "../client", "ä", long, long+"y")
	want := []string{"", "client", "", "client-2", "client-3", "other", long[:28], long[:28] + "-2"}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(err, d)
	}
	for _, name := range got {
		if name != "" && !results.ValidConsole(name) {
			t.Errorf("%q is no name for a console", name)
		}
	}
}

// TestRecordNamesAreBounded has a job open more consoles than an attempt may record.
func TestRecordNamesAreBounded(t *testing.T) {
	var many []string
	for i := range 2 + results.MaxConsoles {
		many = append(many, fmt.Sprintf("n%d", i))
	}
	if _, err := claimed(t, many[:1+results.MaxConsoles]...); err != nil {
		t.Error(err)
	}
	_, err := claimed(t, many...)
	if err == nil || !strings.Contains(err.Error(), "line 15: boot minimal: the job opens more than 9 consoles") {
		t.Errorf("too many: %v", err)
	}
}
