package fakegithub_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"

	"github.com/gantry-ci/gantry/test/fakegithub"
)

// lab is a server with one installation and one repository, and what a correct
// third-party client needs to talk to it.
type lab struct {
	*fakegithub.Server
	inst   fakegithub.Installation
	repo   *fakegithub.Repo
	app    *github.Client // as the App, by JWT
	client *github.Client // as the installation
	broken *violations
}

// violations collects instead of failing the test.
type violations struct {
	mu   sync.Mutex
	list []*fakegithub.Violation
}

func (v *violations) add(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	broken, _ := errors.AsType[*fakegithub.Violation](err)
	v.list = append(v.list, broken)
}

// take returns the only violation since the last take.
func (v *violations) take(t *testing.T) *fakegithub.Violation {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.list) != 1 {
		t.Fatalf("want exactly one violation, have %d: %v", len(v.list), v.list)
	}
	one := v.list[0]
	v.list = nil
	return one
}

// newLab starts a server whose violations fail the test.
func newLab(t testing.TB, o fakegithub.Options) *lab {
	t.Helper()
	l := &lab{Server: fakegithub.Start(t, o)}
	l.inst = l.AddInstallation("octo-lab", fakegithub.InstallationOptions{Organization: true})
	var err error
	if l.repo, err = l.AddRepo("octo-lab", "kernel", folder(t)); err != nil {
		t.Fatal(err)
	}
	transport, err := ghinstallation.NewAppsTransport(http.DefaultTransport, l.AppID(), l.PrivateKey())
	if err != nil {
		t.Fatal(err)
	}
	transport.BaseURL = l.URL()
	l.app = clientOf(t, l.URL(), transport)
	l.client = l.installationClient(t, l.inst.ID)
	return l
}

// newStrictLab starts a server whose violations are kept for the test to take.
func newStrictLab(t *testing.T, o fakegithub.Options) *lab {
	t.Helper()
	broken := &violations{}
	o.Violation = broken.add
	l := newLab(t, o)
	l.broken = broken
	return l
}

func (l *lab) installationClient(t testing.TB, id int64) *github.Client {
	t.Helper()
	transport, err := ghinstallation.New(http.DefaultTransport, l.AppID(), id, l.PrivateKey())
	if err != nil {
		t.Fatal(err)
	}
	transport.BaseURL = l.URL()
	return clientOf(t, l.URL(), transport)
}

func clientOf(t testing.TB, base string, transport http.RoundTripper) *github.Client {
	t.Helper()
	client := github.NewClient(&http.Client{Transport: transport})
	var err error
	if client.BaseURL, err = url.Parse(base + "/"); err != nil {
		t.Fatal(err)
	}
	return client
}

// folder is a repository's content.
func folder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		".github/gantry.yml": "version: 1\n", "ci/smoke.yaml": "job_name: smoke\n", "ci/deep/er/file": "x",
		"README": "hello\n",
	} {
		write(t, dir, name, text)
	}
	return dir
}

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// openPull opens a pull request of a branch with one new file.
func (l *lab) openPull(t *testing.T, branch string) fakegithub.Pull {
	t.Helper()
	if _, err := l.repo.CommitFiles(branch, "Add it", map[string][]byte{"new.txt": []byte("new\n")}); err != nil {
		t.Fatal(err)
	}
	pull, err := l.repo.OpenPull(fakegithub.PullOptions{Head: branch, Author: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	return pull
}

func TestAppAndTokens(t *testing.T) {
	for name, o := range map[string]fakegithub.Options{"long": {}, "short": {ShortTokens: true}} {
		t.Run(name, func(t *testing.T) {
			l, ctx := newLab(t, o), t.Context()
			app, _, err := l.app.Apps.Get(ctx, "")
			if err != nil || app.GetID() != l.AppID() {
				t.Fatalf("app: %v, %v", app, err)
			}
			inst, _, err := l.app.Apps.FindRepositoryInstallation(ctx, "octo-lab", "kernel")
			if err != nil || inst.GetID() != l.inst.ID || inst.GetAccount().GetLogin() != "octo-lab" {
				t.Fatalf("installation: %v, %v", inst, err)
			}
			token, _, err := l.app.Apps.CreateInstallationToken(ctx, inst.GetID(), nil)
			if err != nil {
				t.Fatal(err)
			}
			prefix := "ghs_"
			if name == "long" {
				prefix = fmt.Sprintf("ghs_%d_", l.AppID())
			}
			if !strings.HasPrefix(token.GetToken(), prefix) || name == "short" && len(token.GetToken()) != 40 {
				t.Errorf("token %q", token.GetToken())
			}
			repos, _, err := l.client.Apps.ListRepos(ctx, nil)
			if err != nil || len(repos.Repositories) != 1 || repos.Repositories[0].GetFullName() != "octo-lab/kernel" {
				t.Errorf("repositories: %v, %v", repos, err)
			}
		})
	}
}

func TestContents(t *testing.T) {
	l, ctx := newLab(t, fakegithub.Options{}), t.Context()
	get := func(name, ref string) (string, []*github.RepositoryContent, error) {
		file, dir, _, err := l.client.Repositories.GetContents(
			ctx, "octo-lab", "kernel", name, &github.RepositoryContentGetOptions{Ref: ref},
		)
		if err != nil || file == nil {
			return "", dir, err
		}
		text, err := file.GetContent()
		return text, dir, err
	}
	first := l.repo.Head("")
	if _, err := l.repo.CommitFiles(
		"topic", "Change", map[string][]byte{".github/gantry.yml": []byte("version: 2\n"), "README": nil},
	); err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[string]string{
		"": "version: 1\n", first: "version: 1\n", "topic": "version: 2\n",
		l.repo.Head("topic"): "version: 2\n",
	} {
		if text, _, err := get(".github/gantry.yml", ref); err != nil || text != want {
			t.Errorf("at %q: %q, %v", ref, text, err)
		}
	}
	if _, dir, err := get("ci", ""); err != nil || len(dir) != 2 || dir[0].GetType() != "dir" ||
		dir[1].GetName() != "smoke.yaml" {
		t.Errorf("folder: %v, %v", dir, err)
	}
	if _, dir, err := get("", ""); err != nil || len(dir) != 3 {
		t.Errorf("root: %v, %v", dir, err)
	}
	for name, ref := range map[string]string{
		"absent": "", "README": "topic", "ci/smoke.yaml": "absent",
		"ci/smoke.yaml/x": "",
	} {
		var refused *github.ErrorResponse
		if _, _, err := get(name, ref); !errors.As(err, &refused) || refused.Response.StatusCode != http.StatusNotFound {
			t.Errorf("%s at %q: %v", name, ref, err)
		}
	}
	body, _, err := l.client.Repositories.DownloadContents(ctx, "octo-lab", "kernel", "ci/deep/er/file", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	if text, err := io.ReadAll(body); err != nil || string(text) != "x" {
		t.Errorf("download: %q, %v", text, err)
	}
}

func TestCheckRunLife(t *testing.T) {
	l, ctx := newLab(t, fakegithub.Options{}), t.Context()
	pull := l.openPull(t, "topic")
	got, _, err := l.client.PullRequests.Get(ctx, "octo-lab", "kernel", pull.Number)
	if err != nil || got.GetHead().GetSHA() != pull.Head || got.GetChangedFiles() != 1 {
		t.Fatalf("pull request: %v, %v", got, err)
	}
	checks := l.client.Checks
	run, _, err := checks.CreateCheckRun(ctx, "octo-lab", "kernel", github.CreateCheckRunOptions{
		Name: "smoke", HeadSHA: pull.Head, ExternalID: new("run-1"), Status: new("queued"),
		DetailsURL: new("http://127.0.0.1/runs/1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if run.GetStatus() != "queued" || run.Conclusion != nil || len(run.PullRequests) != 1 ||
		run.GetApp().GetID() != l.AppID() {
		t.Errorf("made: %v", run)
	}
	update := func(o github.UpdateCheckRunOptions) *github.CheckRun {
		t.Helper()
		o.Name = "smoke"
		run, _, err := checks.UpdateCheckRun(ctx, "octo-lab", "kernel", run.GetID(), o)
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	update(github.UpdateCheckRunOptions{Status: new("in_progress")})
	for range 2 {
		update(github.UpdateCheckRunOptions{Output: &github.CheckRunOutput{
			Title: new("t"), Summary: new("s"), Annotations: annotations(50),
		}})
	}
	// A conclusion by itself completes the run.
	done := update(github.UpdateCheckRunOptions{Conclusion: new("failure")})
	if done.GetStatus() != "completed" || done.GetCompletedAt().IsZero() || done.GetOutput().GetAnnotationsCount() != 100 {
		t.Errorf("completed: %v", done)
	}
	l.repo.AddForeignCheckRun(99, "other", pull.Head, "success")
	list, _, err := checks.ListCheckRunsForRef(ctx, "octo-lab", "kernel", pull.Head, &github.ListCheckRunsOptions{
		AppID: new(l.AppID()),
	})
	if err != nil || list.GetTotal() != 1 || list.CheckRuns[0].GetExternalID() != "run-1" {
		t.Errorf("list: %v, %v", list, err)
	}
	second, _, err := checks.ListCheckRunAnnotations(ctx, "octo-lab", "kernel", run.GetID(), &github.ListOptions{
		Page: 2, PerPage: 60,
	})
	if err != nil || len(second) != 40 {
		t.Errorf("annotations: %d, %v", len(second), err)
	}
	kept := l.repo.CheckRuns()[0]
	if want := "[queued in_progress failure]"; fmt.Sprint(kept.History) != want || kept.Updates != 4 {
		t.Errorf("history %v, %d updates", kept.History, kept.Updates)
	}
}

func annotations(n int) []*github.CheckRunAnnotation {
	var list []*github.CheckRunAnnotation
	for i := range n {
		list = append(list, &github.CheckRunAnnotation{
			Path: new("ci/smoke.yaml"), StartLine: new(i + 1), EndLine: new(i + 1),
			AnnotationLevel: new("failure"), Message: new("wrong"),
		})
	}
	return list
}

func TestDeliverPullRequest(t *testing.T) {
	const secret = "It's a Secret to Everybody"
	l, ctx := newLab(t, fakegithub.Options{WebhookSecret: secret}), t.Context()
	received := make(chan any, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		payload, err := github.ValidatePayload(r, []byte(secret))
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		event, err := github.ParseWebHook(github.WebHookType(r), payload)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		received <- event
		w.WriteHeader(http.StatusAccepted)
	}))
	defer receiver.Close()
	l.SetWebhook(receiver.URL, secret)
	pull := l.openPull(t, "topic")
	opened, err := l.repo.PullRequestEvent("opened", pull.Number)
	if err != nil {
		t.Fatal(err)
	}
	delivery, err := l.Send(ctx, opened)
	if err != nil || delivery.Status != http.StatusAccepted {
		t.Fatalf("delivery: %+v, %v", delivery, err)
	}
	event, ok := (<-received).(*github.PullRequestEvent)
	if !ok || event.GetAction() != "opened" || event.GetInstallation().GetID() != l.inst.ID ||
		event.GetPullRequest().GetHead().GetSHA() != pull.Head || event.GetRepo().GetFullName() != "octo-lab/kernel" {
		t.Errorf("event: %+v", event)
	}
	refused, err := l.Deliver(ctx, opened.Name, opened.Payload, fakegithub.DeliveryOptions{Secret: "wrong"})
	if err != nil || refused.Status != http.StatusUnauthorized {
		t.Errorf("wrong secret: %+v, %v", refused, err)
	}
	if n := len(l.Deliveries()); n != 2 {
		t.Errorf("%d deliveries in the log", n)
	}
}

// TestSign checks the vector of GitHub's documentation.
func TestSign(t *testing.T) {
	const want = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	if got := fakegithub.Sign("It's a Secret to Everybody", []byte("Hello, World!")); got != want {
		t.Errorf("signature %s", got)
	}
}
