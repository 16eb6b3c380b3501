package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/test/fakegithub"
)

// A check run whose creation was not answered is found, and not created again.
func TestLostReply(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.gh.Inject(fakegithub.LoseReply().On(http.MethodPost, "/repos/octo-lab/kernel/check-runs"))
	l.open(smokeFiles())
	l.connect()
	lease := l.lease()
	l.finish(lease, nil, results.Case{Suite: "0_smoke", Case: "uname", Result: results.Pass})
	l.check("success")
}

// An app that dies after it created a check run and before it recorded that finds it after its restart.
func TestRestart(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.open(smokeFiles())
	c := l.check("queued")
	l.stop()
	l.start()
	l.connect()
	lease := l.lease()
	l.check("in_progress")
	l.stop()
	l.start()
	l.finish(lease, results.Failf(results.ClassTimeout, "the job took longer than 10m"))
	got := l.check("timed_out")
	if got.ID != c.ID {
		t.Error("another check run")
	}
	if diff := cmp.Diff([]string{"queued", "in_progress", "timed_out"}, got.History); diff != "" {
		t.Error(diff)
	}
}

// The app waits for the end of a limit of GitHub's, and goes on with all other work.
func TestLimits(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.gh.Inject(fakegithub.SecondaryLimit(http.StatusForbidden, time.Second).On(
		http.MethodPost, "/repos/octo-lab/kernel/check-runs",
	))
	l.gh.Inject(fakegithub.SecondaryLimit(http.StatusTooManyRequests, time.Second).On(
		http.MethodGet, "/repos/octo-lab/kernel/pulls",
	))
	_, d := l.open(smokeFiles())
	l.check("queued")
	if got := l.ended(d.GUID); got.State != store.DeliveryProcessed || got.Tries != 1 {
		t.Errorf("%s after %d tries: %s", got.State, got.Tries, got.Reason)
	}
}

// Annotations are sent in batches, each one once, and the conclusion is sent with the last.
func TestManyAnnotations(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.open(smokeFiles())
	l.connect()
	lease := l.lease()
	l.check("in_progress")
	lost := fakegithub.LoseReply().On(http.MethodPatch, "/repos/octo-lab/kernel/check-runs")
	lost.Skip = 1
	l.gh.Inject(lost)
	var cases []results.Case
	for i := range 130 {
		cases = append(cases, results.Case{
			Suite: "0_smoke", Case: fmt.Sprintf("case-%d|`<b>@all</b>", i), Result: results.Fail,
			Message: strings.Repeat("é", 1000),
		})
	}
	l.finish(lease, nil, cases...)
	c := l.check("failure")
	seen := map[string]int{}
	for _, a := range c.Annotations {
		seen[a.Title]++
	}
	if len(c.Annotations) != 130 || len(seen) != 130 {
		t.Errorf("%d annotations, %d different", len(c.Annotations), len(seen))
	}
	if strings.Contains(c.Text, "<b>") || strings.Contains(c.Text, "@all") {
		t.Error("a case's name is markup")
	}
}

// A check whose details GitHub refuses gets its conclusion nevertheless: a pull request may wait for it.
func TestRefusedDetails(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.open(smokeFiles())
	l.connect()
	lease := l.lease()
	l.check("in_progress")
	l.gh.Inject(fakegithub.ServerError(http.StatusUnprocessableEntity).On(
		http.MethodPatch, "/repos/octo-lab/kernel/check-runs",
	))
	l.finish(lease, nil, results.Case{Suite: "0_smoke", Case: "uname", Result: results.Fail})
	c := l.check("failure")
	if c.Text != "" || len(c.Annotations) != 0 || !strings.Contains(c.Summary, "refused") {
		t.Errorf("%q, %q, %d annotations", c.Summary, c.Text, len(c.Annotations))
	}
}

// A check with far too much text is cut between two characters.
func TestHugeResults(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.open(smokeFiles())
	l.connect()
	var cases []results.Case
	for i := range 5000 {
		cases = append(cases, results.Case{
			Suite: "0_smoke", Case: fmt.Sprintf("%d-%s", i, strings.Repeat("日本", 40)), Result: results.Pass,
		})
	}
	l.finish(l.lease(), nil, cases...)
	c := l.check("success")
	if len(c.Text) > 65535 || len(c.Text) < 60000 || !strings.Contains(c.Text, "lines more") {
		t.Errorf("text of %d bytes ends in %q", len(c.Text), c.Text[max(0, len(c.Text)-80):])
	}
}
