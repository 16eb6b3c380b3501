package app_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gantry-ci/gantry/app"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/test/fakegithub"
)

const (
	secret = "It's a Secret to Everybody"

	gantryYAML = "version: 1\non: pull_request\njobs:\n  smoke: {lava: ci/smoke.yaml}\n"

	smokeYAML = `device_type: qemu
job_name: smoke
timeouts: {job: {minutes: 10}, action: {minutes: 2}, connection: {minutes: 1}}
visibility: public
context: {arch: amd64}
actions:
- deploy:
    to: tmpfs
    images:
      kernel: {url: "https://example.com/vmlinuz", image_arg: "-kernel {kernel}"}
- boot:
    method: qemu
    media: tmpfs
    prompts: ['/ #']
- test:
    definitions:
    - from: inline
      name: smoke
      path: inline/smoke.yaml
      repository:
        metadata: {format: Lava-Test Test Definition 1.0, name: smoke}
        run:
          steps:
          - lava-test-case uname --shell uname
          - lava-test-case fails --shell false
`
	failsLine = 25 // of smokeYAML

	patience = 3 * time.Minute // ends a test that hangs: what it waits for takes milliseconds
)

// testLab is an app, with stand-ins for GitHub and a runner.
type testLab struct {
	t      testing.TB
	gh     *fakegithub.Server
	inst   fakegithub.Installation
	repo   *fakegithub.Repo
	opts   app.Options
	app    *app.App
	runner string
}

type tweak func(*app.Options, *fakegithub.Options)

func newLab(t testing.TB, tweaks ...tweak) *testLab {
	t.Helper()
	var gho fakegithub.Options
	gho.WebhookSecret = secret
	l := &testLab{t: t}
	dir := t.TempDir()
	l.opts = app.Options{
		Listen: "127.0.0.1:0", URL: "https://lab.example.org", Database: filepath.Join(dir, "gantry.db"),
		Blobs:          filepath.Join(dir, "blobs"),
		WebhookSecrets: []string{secret}, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, f := range tweaks {
		f(&l.opts, &gho)
	}
	l.gh = fakegithub.Start(t, gho)
	l.inst = l.gh.AddInstallation("octo-lab", fakegithub.InstallationOptions{Organization: true})
	var err error
	if l.repo, err = l.gh.AddRepo("octo-lab", "kernel", t.TempDir()); err != nil {
		t.Fatal(err)
	}
	l.opts.GitHubURL, l.opts.AppID, l.opts.PrivateKey = l.gh.URL(), l.gh.AppID(), l.gh.PrivateKey()
	l.start()
	t.Cleanup(func() {
		l.stop()
		http.DefaultClient.CloseIdleConnections()
	})
	return l
}

// start starts the app with the state of the one before.
func (l *testLab) start() {
	l.t.Helper()
	reg := prometheus.NewRegistry()
	l.opts.Registerer, l.opts.Gatherer = reg, reg
	var err error
	if l.app, err = app.New(l.t.Context(), l.opts); err != nil {
		l.t.Fatal(err)
	}
	if err := l.app.Start(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	l.gh.SetWebhook(l.url("/hook"), secret)
}

func (l *testLab) stop() {
	if l.app == nil {
		return
	}
	if err := l.app.Stop(l.t.Context()); err != nil {
		l.t.Error(err)
	}
	l.app = nil
}

func (l *testLab) url(path string) string { return "http://" + l.app.Addr() + path }

// commit commits files to the branch.
func (l *testLab) commit(branch string, files map[string]string) string {
	l.t.Helper()
	in := map[string][]byte{}
	for name, text := range files {
		in[name] = []byte(text)
	}
	sha, err := l.repo.CommitFiles(branch, "change", in)
	if err != nil {
		l.t.Fatal(err)
	}
	return sha
}

// open opens a pull request with the files, and delivers its event.
func (l *testLab) open(files map[string]string) (fakegithub.Pull, fakegithub.Delivery) {
	l.t.Helper()
	l.commit("topic", files)
	p, err := l.repo.OpenPull(fakegithub.PullOptions{Head: "topic"})
	if err != nil {
		l.t.Fatal(err)
	}
	return p, l.pullEvent("opened", p.Number)
}

func smokeFiles() map[string]string {
	return map[string]string{".github/gantry.yml": gantryYAML, "ci/smoke.yaml": smokeYAML}
}

// pullEvent delivers an event of a pull request, as GitHub does.
func (l *testLab) pullEvent(action string, number int) fakegithub.Delivery {
	l.t.Helper()
	e, err := l.repo.PullRequestEvent(action, number)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.send(e, fakegithub.DeliveryOptions{})
}

// send delivers an event. Where the machine is too busy for the ten seconds that GitHub waits it is delivered again, as
// people do; a refusal is not.
func (l *testLab) send(e fakegithub.Event, o fakegithub.DeliveryOptions) fakegithub.Delivery {
	l.t.Helper()
	const tooBusy = 8 * time.Second // GitHub waits for 10, the app gives up after 9
	for end := time.Now().Add(patience); ; {
		began := time.Now()
		d, err := l.gh.Deliver(l.t.Context(), e.Name, e.Payload, o)
		if err == nil && d.Status == http.StatusAccepted {
			return d
		}
		if time.Since(began) < tooBusy || time.Now().After(end) {
			l.t.Fatalf("delivery was answered %d: %s, %v", d.Status, d.Answer, err)
		}
		o.GUID, o.Redelivery = d.GUID, true
	}
}

// until waits until f returns "". Until then f says what is missing.
func (l *testLab) until(f func() string) {
	l.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		missing := f()
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("waited %s: %s", patience, missing)
		}
		time.Sleep(10 * time.Millisecond) // the state is another process's, at GitHub
	}
}

// ended waits until the delivery has ended, and returns it.
func (l *testLab) ended(guid string) (d store.Delivery) {
	l.t.Helper()
	l.until(func() string {
		var err error
		if d, err = l.app.Store().Delivery(l.t.Context(), guid); err != nil {
			l.t.Fatal(err)
		}
		if d.EndedMS == 0 {
			return "the delivery has not ended"
		}
		return ""
	})
	return d
}

// check waits until the only check run has a status or conclusion.
func (l *testLab) check(state string) (c fakegithub.CheckRun) {
	l.t.Helper()
	l.until(func() string {
		runs := l.repo.CheckRuns()
		if len(runs) != 1 {
			return fmt.Sprintf("there are %d check runs", len(runs))
		}
		if c = runs[0]; c.Status == state || c.Conclusion == state {
			return ""
		}
		return fmt.Sprintf("the check is %s %s: %s", c.Status, c.Conclusion, c.Title)
	})
	return c
}

// runs reads the runs, oldest first.
func (l *testLab) runs() []store.Run {
	l.t.Helper()
	runs, err := l.app.Store().Runs(l.t.Context(), 1000)
	if err != nil {
		l.t.Fatal(err)
	}
	for i, j := 0, len(runs)-1; i < j; i, j = i+1, j-1 {
		runs[i], runs[j] = runs[j], runs[i]
	}
	return runs
}

func (l *testLab) get(path string) (int, string) {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, l.url(path), nil)
	if err != nil {
		l.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}
