package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/app"
	"github.com/gantry-ci/gantry/app/checks"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/app/trigger"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/test/fakegithub"
)

// openFork opens a pull request from a fork.
func (l *testLab) openFork() fakegithub.Delivery {
	l.t.Helper()
	fork, err := l.repo.Fork("stranger")
	if err != nil {
		l.t.Fatal(err)
	}
	files := map[string][]byte{}
	for name, text := range smokeFiles() {
		files[name] = []byte(text)
	}
	if _, err := fork.CommitFiles("topic", "change", files); err != nil {
		l.t.Fatal(err)
	}
	p, err := l.repo.OpenPull(fakegithub.PullOptions{Head: "topic", From: fork})
	if err != nil {
		l.t.Fatal(err)
	}
	return l.pullEvent("opened", p.Number)
}

// A fork's code does not run unless policy allows it, and then it is untrusted.
func TestFork(t *testing.T) {
	t.Parallel()
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		l := newLab(t)
		d := l.openFork()
		if c := l.check("action_required"); !strings.Contains(c.Title, "fork") {
			t.Errorf("%q", c.Title)
		}
		if got := l.ended(d.GUID); got.State != store.DeliveryRefused || len(l.runs()) != 0 {
			t.Errorf("%s: %s; %d runs", got.State, got.Reason, len(l.runs()))
		}
	})
	t.Run("untrusted", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, func(o *app.Options, _ *fakegithub.Options) { o.Policy.Forks = trigger.ForksUntrusted })
		l.openFork()
		l.check("queued")
		if runs := l.runs(); len(runs) != 1 || runs[0].Trust != "untrusted" {
			t.Errorf("%+v", runs)
		}
	})
}

// A push cancels the runs of the previous head; closing the pull request cancels all.
func TestSuperseded(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p, _ := l.open(smokeFiles())
	l.check("queued")
	l.commit("topic", map[string]string{"README": "more"})
	l.pullEvent("synchronize", p.Number)
	l.until(func() string {
		runs := l.runs()
		if len(runs) != 2 || runs[0].Class != results.ClassCanceled || runs[1].State != store.RunQueued {
			return fmt.Sprintf("%+v", runs)
		}
		shown := l.repo.CheckRuns()
		if len(shown) != 2 || shown[0].Conclusion != checks.Canceled || shown[1].Status != "queued" {
			return fmt.Sprintf("%+v", shown)
		}
		return ""
	})
	if c := l.repo.CheckRuns()[0]; !strings.Contains(c.Title, "superseded") {
		t.Errorf("%q", c.Title)
	}
	late, err := l.repo.PullRequestEvent("opened", p.Number)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.repo.ClosePull(p.Number, false); err != nil {
		t.Fatal(err)
	}
	l.pullEvent("closed", p.Number)
	l.until(func() string {
		if c := l.repo.CheckRuns()[1]; c.Conclusion != checks.Canceled {
			return "the check of a closed pull request is " + c.Status
		}
		return ""
	})
	// An earlier event arrives late: nothing starts.
	d := l.send(late, fakegithub.DeliveryOptions{})
	if got := l.ended(d.GUID); got.State != store.DeliveryIgnored {
		t.Errorf("late: %s: %s", got.State, got.Reason)
	}
	if len(l.runs()) != 2 {
		t.Error("a closed pull request has a new run")
	}
	// After reopening, the commit runs again, in a new check run.
	if err := l.repo.ReopenPull(p.Number); err != nil {
		t.Fatal(err)
	}
	l.pullEvent("reopened", p.Number)
	l.until(func() string {
		if runs, shown := l.runs(), l.repo.CheckRuns(); len(runs) != 3 || len(shown) != 3 || shown[2].Status != "queued" {
			return fmt.Sprintf("%d runs, %d checks", len(runs), len(shown))
		}
		return ""
	})
}

// Two pull requests with the same head share its run, which goes on until neither of them needs it.
func TestSharedHead(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	first, _ := l.open(smokeFiles())
	l.check("queued")
	if _, err := l.repo.CommitFiles("stable", "begin", map[string][]byte{"README": []byte("stable")}); err != nil {
		t.Fatal(err)
	}
	second, err := l.repo.OpenPull(fakegithub.PullOptions{Head: "topic", Base: "stable"})
	if err != nil {
		t.Fatal(err)
	}
	l.ended(l.pullEvent("opened", second.Number).GUID)
	for i, p := range []fakegithub.Pull{first, second} {
		if err := l.repo.ClosePull(p.Number, false); err != nil {
			t.Fatal(err)
		}
		l.ended(l.pullEvent("closed", p.Number).GUID)
		runs := l.runs()
		if len(runs) != 1 || (runs[0].Class == results.ClassCanceled) != (i == 1) {
			t.Fatalf("pull request %d is closed: %+v", p.Number, runs)
		}
	}
	l.check(checks.Canceled)
}
