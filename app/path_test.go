package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/test/fakegithub"
)

// A pull request becomes a run and one check, which is queued, then in progress, and then concluded.
func TestPullRequest(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p, d := l.open(smokeFiles())
	if got := l.ended(d.GUID); got.State != store.DeliveryProcessed {
		t.Fatalf("delivery: %s: %s", got.State, got.Reason)
	}
	c := l.check("queued")
	if c.Name != "smoke" || c.HeadSHA != p.Head || !strings.HasPrefix(c.DetailsURL, "https://lab.example.org/checks/") {
		t.Errorf("queued: %+v", c)
	}
	l.connect()
	lease := l.lease()
	if c = l.check("in_progress"); c.Title != "Running on qemu-1" {
		t.Errorf("in progress: %q", c.Title)
	}
	line := 3
	l.finish(lease, nil,
		results.Case{Suite: "lava", Case: "login-action", Result: results.Pass},
		results.Case{Suite: "0_smoke", Case: "uname", Result: results.Pass, LogLine: &line},
		results.Case{Suite: "0_smoke", Case: "fails", Result: results.Fail, Message: "exit 1"})
	c = l.check("failure")
	if diff := cmp.Diff([]string{"queued", "in_progress", "failure"}, c.History); diff != "" {
		t.Error(diff)
	}
	want := []fakegithub.Annotation{{
		Path: "ci/smoke.yaml", StartLine: failsLine, EndLine: failsLine, Level: "failure", Title: "fails failed",
		Message: "exit 1\non qemu-1",
	}}
	if diff := cmp.Diff(want, c.Annotations); diff != "" {
		t.Error(diff)
	}
	if c.Title != "1 failed, 1 passed" || !strings.Contains(c.Summary, "<code>0&#95;smoke</code>") {
		t.Errorf("title %q, summary:\n%s", c.Title, c.Summary)
	}
	if code, page := l.get("/runs/" + l.runs()[0].ID); code != 200 || !strings.Contains(page, "uname") ||
		!strings.Contains(page, "exit 1") && !strings.Contains(page, "fails") {
		t.Errorf("page: %d\n%s", code, page)
	}
}

// BenchmarkRun is the time from GitHub's delivery to the run in the queue: two jobs of River's, four requests to
// GitHub.
func BenchmarkRun(b *testing.B) {
	l := newLab(b)
	i := 0
	for b.Loop() {
		b.StopTimer()
		i++
		branch := fmt.Sprintf("topic-%d", i)
		files := smokeFiles()
		files["README"] = branch
		l.commit(branch, files)
		p, err := l.repo.OpenPull(fakegithub.PullOptions{Head: branch})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		l.ended(l.pullEvent("opened", p.Number).GUID)
	}
	if n := len(l.runs()); n != i {
		b.Fatalf("%d runs of %d", n, i)
	}
}
