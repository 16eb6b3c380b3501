package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/test/fakegithub"
)

// Each class of failure has its conclusion. A failure that is not the code's fault is never red.
func TestConclusions(t *testing.T) {
	t.Parallel()
	for class, want := range map[results.Class]string{
		results.ClassJob: "failure", results.ClassTimeout: "timed_out", results.ClassBug: "neutral",
		results.ClassInfrastructure: "neutral",
	} {
		t.Run(string(class), func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.open(smokeFiles())
			l.connect()
			l.finish(l.lease(), results.Failf(class, "it broke"))
			if class == results.ClassInfrastructure { // tried again
				l.finish(l.lease(), results.Failf(class, "it broke"))
			}
			if c := l.check(want); !strings.Contains(c.Title, "it broke") {
				t.Errorf("%q", c.Title)
			}
		})
	}
}

// A matrix is one check with a table of its runs. Its conclusion is the worst of theirs.
func TestMatrix(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.open(map[string]string{".github/gantry.yml": `version: 1
on: pull_request
jobs:
  modes:
    vm: {image: "https://example.com/debian.qcow2", kernel: "https://example.com/bzImage"}
    matrix: {memory: [512M, 1G]}
    steps: [{name: check, run: make check}]
`})
	l.check("queued")
	if runs := l.runs(); len(runs) != 2 || runs[0].Name != "modes (512M)" || runs[1].Name != "modes (1G)" ||
		runs[0].TargetType != "qemu" {
		t.Fatalf("%+v", runs)
	}
	l.connect()
	l.finish(l.lease(), nil, results.Case{Suite: "0_modes", Case: "check", Result: results.Fail})
	l.check("in_progress")
	l.finish(l.lease(), nil, results.Case{Suite: "0_modes", Case: "check", Result: results.Pass})
	c := l.check("failure")
	if c.Title != "1 failed, 1 passed" || !strings.Contains(c.Summary, "modes &#40;512M&#41;") ||
		!strings.Contains(c.Summary, "modes &#40;1G&#41;") {
		t.Errorf("%q\n%s", c.Title, c.Summary)
	}
	// The expanded definition is not in a file, so the line is that of the job.
	if len(c.Annotations) != 1 || c.Annotations[0].Path != ".github/gantry.yml" || c.Annotations[0].StartLine != 4 {
		t.Errorf("%+v", c.Annotations)
	}
}

// "Re-run" makes a new run in a new check run. It leaves a run in progress alone.
func TestRerun(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.open(smokeFiles())
	c := l.check("queued")
	rerun := func() store.Delivery {
		e, err := l.repo.CheckRunEvent("rerequested", c.ID, "maintainer", "")
		if err != nil {
			t.Fatal(err)
		}
		return l.ended(l.send(e, fakegithub.DeliveryOptions{}).GUID)
	}
	if d := rerun(); d.State != store.DeliveryIgnored {
		t.Errorf("of a queued check: %s: %s", d.State, d.Reason)
	}
	l.connect()
	l.finish(l.lease(), nil, results.Case{Suite: "0_smoke", Case: "uname", Result: results.Fail})
	l.check("failure")
	if d := rerun(); d.State != store.DeliveryProcessed {
		t.Errorf("of a failed check: %s: %s", d.State, d.Reason)
	}
	l.until(func() string {
		if shown := l.repo.CheckRuns(); len(shown) != 2 || shown[1].Status != "in_progress" && shown[1].Status != "queued" ||
			shown[1].Name != "smoke" {
			return fmt.Sprintf("%+v", shown)
		}
		return ""
	})
	foreign := l.repo.AddForeignCheckRun(99, "other", c.HeadSHA, "failure")
	e, err := l.repo.CheckRunEvent("rerequested", foreign.ID, "maintainer", "")
	if err != nil {
		t.Fatal(err)
	}
	if d := l.ended(l.send(e, fakegithub.DeliveryOptions{}).GUID); d.State != store.DeliveryIgnored {
		t.Errorf("of another App: %s: %s", d.State, d.Reason)
	}
}
