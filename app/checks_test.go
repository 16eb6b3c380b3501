package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/app"
	"github.com/gantry-ci/gantry/app/checks"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/app/trigger"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/test/fakegithub"
)

// What is wrong with the files is a failed check with annotations at their lines, and no run.
func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		files map[string]string
		check string
		path  string
		line  int
		title string
		state string
	}{
		{
			"unknown key",
			map[string]string{".github/gantry.yml": "version: 1\non: pull_request\njobs:\n  smoke: {lav: ci/smoke.yaml}\n"},
			"gantry", ".github/gantry.yml", 4, "lav", store.DeliveryRefused,
		},
		{
			"not YAML",
			map[string]string{".github/gantry.yml": "version: 1\n\tjobs: {\n"},
			"gantry", ".github/gantry.yml", 2, ".github/gantry.yml:2", store.DeliveryRefused,
		},
		{
			"over 1 MiB",
			map[string]string{".github/gantry.yml": "version: 1\n#" + strings.Repeat("x", 1<<20)},
			"gantry", ".github/gantry.yml", 1, "too large", store.DeliveryRefused,
		},
		{
			"no job file",
			map[string]string{".github/gantry.yml": gantryYAML},
			"smoke", ".github/gantry.yml", 4, "ci/smoke.yaml", store.DeliveryRefused,
		},
		{
			"job file with a typo",
			map[string]string{".github/gantry.yml": gantryYAML, "ci/smoke.yaml": strings.Replace(smokeYAML, "prompts", "promts", 1)},
			"smoke", "ci/smoke.yaml", 14, "ci/smoke.yaml:14", store.DeliveryRefused,
		},
		{
			"no list of known failures",
			map[string]string{".github/gantry.yml": "known-failures: ci/known.yaml\n" + gantryYAML, "ci/smoke.yaml": smokeYAML},
			"smoke", ".github/gantry.yml", 5, "there is no file ci/known.yaml", store.DeliveryRefused,
		},
		{
			"a list of known failures with a typo",
			map[string]string{
				".github/gantry.yml": "known-failures: ci/known.yaml\n" + gantryYAML, "ci/smoke.yaml": smokeYAML,
				"ci/known.yaml": "qemu:\n- {test: 0_smoke/frob, coment: x}\n",
			},
			"smoke", "ci/known.yaml", 2, "ci/known.yaml:2", store.DeliveryRefused,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			_, d := l.open(tt.files)
			c := l.check("failure")
			if c.Name != tt.check || !strings.Contains(c.Title+c.Summary, tt.title) {
				t.Errorf("check %q: %q\n%s", c.Name, c.Title, c.Summary)
			}
			if len(c.Annotations) == 0 || c.Annotations[0].Path != tt.path || c.Annotations[0].StartLine != tt.line {
				t.Errorf("annotations: %+v", c.Annotations)
			}
			if got := l.ended(d.GUID); got.State != tt.state || got.Reason == "" {
				t.Errorf("delivery: %s: %s", got.State, got.Reason)
			}
			if len(l.runs()) != 0 {
				t.Error("there are runs")
			}
		})
	}
}

func TestNoConfig(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	_, d := l.open(map[string]string{"README": "hello"})
	if got := l.ended(d.GUID); got.State != store.DeliveryIgnored || !strings.Contains(got.Reason, ".github/gantry.yml") {
		t.Errorf("%s: %s", got.State, got.Reason)
	}
	if n := len(l.repo.CheckRuns()); n != 0 {
		t.Errorf("%d checks", n)
	}
}

// openFork opens a pull request from a fork.
func (l *lab) openFork() fakegithub.Delivery {
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

// A fork's code does not run unless the lab says so, and then as a stranger's.
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

// A push cancels the runs of the head before; closing cancels all.
func TestSuperseded(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p, _ := l.open(smokeFiles())
	l.check("queued")
	l.commit("topic", map[string]string{"README": "more"})
	l.pullEvent("synchronize", p.Number)
	l.until(func() string {
		runs := l.runs()
		if len(runs) != 2 || runs[0].Class != jobs.ClassCanceled || runs[1].State != store.RunQueued {
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
	// An event from before comes late: nothing starts.
	d := l.send(late, fakegithub.DeliveryOptions{})
	if got := l.ended(d.GUID); got.State != store.DeliveryIgnored {
		t.Errorf("late: %s: %s", got.State, got.Reason)
	}
	if len(l.runs()) != 2 {
		t.Error("a closed pull request has a new run")
	}
	// Reopened, its commit runs again, in a check run of its own.
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

// Two pull requests with one head share its run: it goes on until the last of them does not want it any more.
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
		if len(runs) != 1 || (runs[0].Class == jobs.ClassCanceled) != (i == 1) {
			t.Fatalf("pull request %d is closed: %+v", p.Number, runs)
		}
	}
	l.check(checks.Canceled)
}

// A check whose making was not answered is found, not made again.
func TestLostReply(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.gh.Inject(fakegithub.LoseReply().On(http.MethodPost, "/repos/octo-lab/kernel/check-runs"))
	l.open(smokeFiles())
	l.connect()
	lease := l.lease()
	l.finish(lease, nil, jobs.Case{Suite: "0_smoke", Case: "uname", Result: jobs.Pass})
	l.check("success")
}

// An app that dies between the making of a check and its note of it finds it after its restart.
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
	l.finish(lease, jobs.Failf(jobs.ClassTimeout, "the job took longer than 10m"))
	got := l.check("timed_out")
	if got.ID != c.ID {
		t.Error("another check run")
	}
	if diff := cmp.Diff([]string{"queued", "in_progress", "timed_out"}, got.History); diff != "" {
		t.Error(diff)
	}
}

// A limit of GitHub's is waited out, whatever it says, and holds up nothing else.
func TestLimits(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.gh.Inject(fakegithub.SecondaryLimit(http.StatusForbidden, time.Second).On(http.MethodPost, "/repos/octo-lab/kernel/check-runs"))
	l.gh.Inject(fakegithub.SecondaryLimit(http.StatusTooManyRequests, time.Second).On(http.MethodGet, "/repos/octo-lab/kernel/pulls"))
	_, d := l.open(smokeFiles())
	l.check("queued")
	if got := l.ended(d.GUID); got.State != store.DeliveryProcessed || got.Tries != 1 {
		t.Errorf("%s after %d tries: %s", got.State, got.Tries, got.Reason)
	}
}

// Every class of failure has its conclusion; what is not the code's fault is never red.
func TestConclusions(t *testing.T) {
	t.Parallel()
	for class, want := range map[jobs.Class]string{
		jobs.ClassJob: "failure", jobs.ClassTimeout: "timed_out", jobs.ClassBug: "neutral", jobs.ClassInfrastructure: "neutral",
	} {
		t.Run(string(class), func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.open(smokeFiles())
			l.connect()
			l.finish(l.lease(), jobs.Failf(class, "it broke"))
			if class == jobs.ClassInfrastructure { // tried again
				l.finish(l.lease(), jobs.Failf(class, "it broke"))
			}
			if c := l.check(want); !strings.Contains(c.Title, "it broke") {
				t.Errorf("%q", c.Title)
			}
		})
	}
}

// Annotations go in batches, each once, and the conclusion comes with the last.
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
	var cases []jobs.Case
	for i := range 130 {
		cases = append(cases, jobs.Case{Suite: "0_smoke", Case: fmt.Sprintf("case-%d|`<b>@all</b>", i), Result: jobs.Fail, Message: strings.Repeat("é", 1000)})
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

// A check whose details GitHub refuses has its conclusion all the same: a pull request may wait for it.
func TestRefusedDetails(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.open(smokeFiles())
	l.connect()
	lease := l.lease()
	l.check("in_progress")
	l.gh.Inject(fakegithub.ServerError(http.StatusUnprocessableEntity).On(http.MethodPatch, "/repos/octo-lab/kernel/check-runs"))
	l.finish(lease, nil, jobs.Case{Suite: "0_smoke", Case: "uname", Result: jobs.Fail})
	c := l.check("failure")
	if c.Text != "" || len(c.Annotations) != 0 || !strings.Contains(c.Summary, "refused") {
		t.Errorf("%q, %q, %d annotations", c.Summary, c.Text, len(c.Annotations))
	}
}

// A check that shows far too much is cut, between runes.
func TestHugeResults(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.open(smokeFiles())
	l.connect()
	var cases []jobs.Case
	for i := range 5000 {
		cases = append(cases, jobs.Case{Suite: "0_smoke", Case: fmt.Sprintf("%d-%s", i, strings.Repeat("日本", 40)), Result: jobs.Pass})
	}
	l.finish(l.lease(), nil, cases...)
	c := l.check("success")
	if len(c.Text) > 65535 || len(c.Text) < 60000 || !strings.Contains(c.Text, "lines more") {
		t.Errorf("text of %d bytes ends in %q", len(c.Text), c.Text[max(0, len(c.Text)-80):])
	}
}

// "Re-run" makes a new run in a new check run; a running one is left alone.
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
	l.finish(l.lease(), nil, jobs.Case{Suite: "0_smoke", Case: "uname", Result: jobs.Fail})
	l.check("failure")
	if d := rerun(); d.State != store.DeliveryProcessed {
		t.Errorf("of a failed check: %s: %s", d.State, d.Reason)
	}
	l.until(func() string {
		if shown := l.repo.CheckRuns(); len(shown) != 2 || shown[1].Status != "in_progress" && shown[1].Status != "queued" || shown[1].Name != "smoke" {
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

// A matrix is one check with a table of its runs; its conclusion is the worst.
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
	if runs := l.runs(); len(runs) != 2 || runs[0].Name != "modes (512M)" || runs[1].Name != "modes (1G)" || runs[0].TargetType != "qemu" {
		t.Fatalf("%+v", runs)
	}
	l.connect()
	l.finish(l.lease(), nil, jobs.Case{Suite: "0_modes", Case: "check", Result: jobs.Fail})
	l.check("in_progress")
	l.finish(l.lease(), nil, jobs.Case{Suite: "0_modes", Case: "check", Result: jobs.Pass})
	c := l.check("failure")
	if c.Title != "1 failed, 1 passed" || !strings.Contains(c.Summary, "modes &#40;512M&#41;") || !strings.Contains(c.Summary, "modes &#40;1G&#41;") {
		t.Errorf("%q\n%s", c.Title, c.Summary)
	}
	// What the job was expanded to is no file: the line is the job's own.
	if len(c.Annotations) != 1 || c.Annotations[0].Path != ".github/gantry.yml" || c.Annotations[0].StartLine != 4 {
		t.Errorf("%+v", c.Annotations)
	}
}

// Asked again, a commit whose files are refused is refused again, in a check run of its own: GitHub waits for one.
func TestRerunOfRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.open(map[string]string{".github/gantry.yml": "version: 1\n"})
	c := l.check("failure")
	e, err := l.repo.CheckRunEvent("rerequested", c.ID, "maintainer", "")
	if err != nil {
		t.Fatal(err)
	}
	l.send(e, fakegithub.DeliveryOptions{})
	l.until(func() string {
		if shown := l.repo.CheckRuns(); len(shown) != 2 || shown[1].Conclusion != checks.Failure {
			return fmt.Sprintf("%+v", shown)
		}
		return ""
	})
	// An event that comes twice makes nothing new.
	l.ended(l.pullEvent("synchronize", 1).GUID)
	if n := len(l.repo.CheckRuns()); n != 2 {
		t.Errorf("%d check runs", n)
	}
}
