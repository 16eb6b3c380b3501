package app_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

// TestLists: the repository's lists reach the runner, and their effects on cases reach the check.
func TestLists(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	files := smokeFiles()
	files[".github/gantry.yml"] = "known-failures: ci/known.yaml\nkernel-log: ci/kernel.yaml\n" +
		"defaults: {retry: {tests: 2}}\n" + gantryYAML
	files["ci/known.yaml"] = "qemu: [{test: 0_smoke/known, comment: '#42'}]\n"
	files["ci/kernel.yaml"] = "allow: []\n"
	l.open(files)
	l.check("queued")
	l.connect()
	lease := l.lease()
	a, err := l.app.Store().Assignment(t.Context(), lease)
	if err != nil {
		t.Fatal(err)
	}
	want := lab.Lists{
		KnownFailures: []byte(files["ci/known.yaml"]), KernelLog: []byte(files["ci/kernel.yaml"]), TestRetries: 2,
	}
	if diff := cmp.Diff(want, a.Lists); diff != "" {
		t.Error(diff)
	}
	l.finish(lease, nil,
		results.Case{Suite: "0_smoke", Case: "fails", Result: results.Fail, Message: "exit 1"},
		results.Case{Suite: "0_smoke", Case: "known", Result: results.Fail, Note: results.NoteKnown, Known: "#42"},
		results.Case{Suite: "0_smoke", Case: "flaky", Result: results.Pass, Note: results.NoteFlaky},
		results.Case{Suite: "0_smoke", Case: "better", Result: results.Pass, Note: results.NoteUnexpectedPass, Known: "#43"},
		results.Case{Suite: "0_smoke", Case: "uname", Result: results.Pass})
	c := l.check("failure")
	if want := "1 newly failed, 1 passed unexpectedly, 1 known to fail, 1 flaky, 1 passed"; c.Title != want {
		t.Errorf("title %q, want %q", c.Title, want)
	}
	var titles []string
	for _, a := range c.Annotations {
		titles = append(titles, a.Title)
	}
	if diff := cmp.Diff([]string{"fails failed", "better passed unexpectedly"}, titles); diff != "" {
		t.Error(diff)
	}
}
