package fakegithub_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"

	"github.com/google/go-github/v60/github"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gantry-ci/gantry/test/fakegithub"
	"github.com/gantry-ci/gantry/test/fakegithub/octokit"
)

// receiver keeps the webhooks it gets and answers with a status.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    chan *http.Request
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusAccepted, got: make(chan *http.Request, 100)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		w.WriteHeader(r.status)
		r.got <- req
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// TestEventsFitGitHubsSchemas holds every built payload against the JSON Schema
// that GitHub's webhooks are described by.
func TestEventsFitGitHubsSchemas(t *testing.T) {
	schemas := webhookSchemas(t)
	l := newLab(t, fakegithub.Options{})
	for definition, event := range buildEvents(t, l) {
		t.Run(definition, func(t *testing.T) {
			var payload any
			if err := json.Unmarshal(event.Payload, &payload); err != nil {
				t.Fatal(err)
			}
			schema, err := schemas.Compile("schema.json#/definitions/" + definition)
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(payload); err != nil {
				t.Error(err)
			}
			parsed, err := github.ParseWebHook(event.Name, event.Payload)
			if err != nil {
				t.Fatal(err)
			}
			if with, has := parsed.(interface{ GetInstallation() *github.Installation }); has {
				if id := with.GetInstallation().GetID(); id != l.inst.ID {
					t.Errorf("installation %d, want %d", id, l.inst.ID)
				}
			}
		})
	}
}

func webhookSchemas(t *testing.T) *jsonschema.Compiler {
	t.Helper()
	files, err := octokit.Locate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(files.Schemas)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	// The library takes "{/sha}", as RFC 6570 has it and GitHub uses it, for an error.
	c.RegisterFormat(&jsonschema.Format{Name: "uri-template", Validate: func(any) error { return nil }})
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	return c
}

// buildEvents builds one of each event, by the name of its definition.
func buildEvents(t *testing.T, l *lab) map[string]fakegithub.Event {
	t.Helper()
	// No ping: GitHub's schema has only those of repositories' and organizations'
	// hooks, which have two URLs that an App's hook has not.
	built := map[string]fakegithub.Event{}
	add := func(definition string, e fakegithub.Event, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		built[definition] = e
	}
	before := l.repo.Head("")
	pull := l.openPull(t, "topic")
	fork, err := l.repo.Fork("mallory")
	if err != nil {
		t.Fatal(err)
	}
	forked, err := fork.CommitFiles("evil", "Change", map[string][]byte{"README": []byte("x\n")})
	if err != nil {
		t.Fatal(err)
	}
	fromFork, err := l.repo.OpenPull(fakegithub.PullOptions{Head: "evil", From: fork, Labels: []string{"boards"}})
	if err != nil || fromFork.Head != forked {
		t.Fatalf("pull request of a fork: %+v, %v", fromFork, err)
	}
	event := func(action string, number int) {
		t.Helper()
		e, err := l.repo.PullRequestEvent(action, number)
		add("pull_request$"+action, e, err)
	}
	event("opened", fromFork.Number)
	event("labeled", fromFork.Number)
	if _, err := l.repo.CommitFiles("topic", "More", map[string][]byte{"new.txt": []byte("newer\n")}); err != nil {
		t.Fatal(err)
	}
	event("synchronize", pull.Number)
	if err := l.repo.ClosePull(pull.Number, true); err != nil {
		t.Fatal(err)
	}
	event("closed", pull.Number)
	if err := l.repo.ClosePull(fromFork.Number, false); err != nil {
		t.Fatal(err)
	}
	if err := l.repo.ReopenPull(fromFork.Number); err != nil {
		t.Fatal(err)
	}
	event("reopened", fromFork.Number)
	push, err := l.repo.PushEvent("main", before)
	add("push$event", push, err)
	buildCheckEvents(t, l, add)
	comment, err := l.repo.AddComment(fromFork.Number, "alice", "/gantry run")
	if err != nil {
		t.Fatal(err)
	}
	created, err := l.repo.IssueCommentEvent("created", comment.ID)
	add("issue_comment$created", created, err)
	if err := l.repo.EditComment(comment.ID, "/gantry stop"); err != nil {
		t.Fatal(err)
	}
	edited, err := l.repo.IssueCommentEvent("edited", comment.ID)
	add("issue_comment$edited", edited, err)
	for _, action := range []string{"created", "deleted", "suspend"} {
		l.SuspendInstallation(l.inst.ID, action == "suspend")
		e, err := l.InstallationEvent(action, l.inst.ID)
		add("installation$"+action, e, err)
	}
	return built
}

func buildCheckEvents(t *testing.T, l *lab, add func(string, fakegithub.Event, error)) {
	t.Helper()
	run, _, err := l.client.Checks.CreateCheckRun(t.Context(), "octo-lab", "kernel", github.CreateCheckRunOptions{
		Name: "smoke", HeadSHA: l.repo.Head(""), Conclusion: new("failure"), ExternalID: new("run-1"),
		Actions: []*github.CheckRunAction{{Label: "Again", Description: "Runs it again", Identifier: "again"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"created", "completed", "rerequested", "requested_action"} {
		e, err := l.repo.CheckRunEvent(action, run.GetID(), "alice", "again")
		add("check_run$"+action, e, err)
	}
	for _, action := range []string{"requested", "rerequested", "completed"} {
		add("check_suite$"+action, l.repo.CheckSuiteEvent(action, l.repo.Head(""), "alice"), nil)
	}
	id, err := l.repo.AddWorkflowRun(fakegithub.WorkflowRunOptions{
		Name: "Build on PR", Branch: "main", SHA: l.repo.Head(""),
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := l.repo.WorkflowRunEvent("completed", id)
	add("workflow_run$completed", e, err)
	e, err = l.repo.MergeGroupEvent(l.repo.Head(""), "main")
	add("merge_group$checks_requested", e, err)
}

func TestDeliveryHeaders(t *testing.T) {
	l, to := newLab(t, fakegithub.Options{WebhookSecret: "s"}), newReceiver(t)
	l.SetWebhook(to.URL, "s")
	for name, c := range map[string]struct {
		o           fakegithub.DeliveryOptions
		sha256, old bool
	}{
		"signed":    {fakegithub.DeliveryOptions{}, true, true},
		"unsigned":  {fakegithub.DeliveryOptions{Unsigned: true}, false, false},
		"only SHA1": {fakegithub.DeliveryOptions{OnlySHA1: true}, false, true},
	} {
		d, err := l.Deliver(t.Context(), "ping", []byte(`{}`), c.o)
		if err != nil {
			t.Fatal(err)
		}
		h := (<-to.got).Header
		if got := h.Get("X-Hub-Signature-256"); (got == fakegithub.Sign("s", []byte(`{}`))) != c.sha256 ||
			got == "" == c.sha256 {
			t.Errorf("%s: SHA-256 signature %q", name, got)
		}
		if got := h.Get("X-Hub-Signature"); (got != "") != c.old {
			t.Errorf("%s: SHA-1 signature %q", name, got)
		}
		for header, want := range map[string]string{
			"X-GitHub-Event": "ping", "X-GitHub-Delivery": d.GUID, "X-GitHub-Hook-Installation-Target-Type": "integration",
			"X-GitHub-Hook-Installation-Target-ID": fmt.Sprint(l.AppID()), "Content-Type": "application/json",
		} {
			if got := h.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
	}
}

// TestDeliveryLog finds failed deliveries as an App does that was away, and has
// one delivered again.
func TestDeliveryLog(t *testing.T) {
	l, ctx, to := newLab(t, fakegithub.Options{}), t.Context(), newReceiver(t)
	l.SetWebhook(to.URL, "s")
	pull := l.openPull(t, "topic")
	opened, err := l.repo.PullRequestEvent("opened", pull.Number)
	if err != nil {
		t.Fatal(err)
	}
	to.answer(http.StatusInternalServerError)
	failed, err := l.Send(ctx, opened)
	if err != nil || failed.Status != 500 {
		t.Fatalf("delivery: %+v, %v", failed, err)
	}
	<-to.got
	lost := l.LoseDelivery(opened)
	to.answer(http.StatusAccepted)
	for range 3 {
		if _, err := l.Send(ctx, l.PingEvent()); err != nil {
			t.Fatal(err)
		}
		<-to.got
	}
	var seen []string
	o := &github.ListCursorOptions{PerPage: 2}
	for {
		page, resp, err := l.app.Apps.ListHookDeliveries(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page {
			seen = append(seen, d.GetEvent()+" "+d.GetStatus())
		}
		if o.Cursor = resp.Cursor; o.Cursor == "" {
			break
		}
	}
	want := "[ping OK ping OK ping OK pull_request timed out pull_request Invalid HTTP Response: 500]"
	if fmt.Sprint(seen) != want {
		t.Errorf("log %v", seen)
	}
	full, _, err := l.app.Apps.GetHookDelivery(ctx, lost.ID)
	if err != nil || full.GetInstallationID() != l.inst.ID || string(full.GetRequest().GetRawPayload()) == "" {
		t.Errorf("delivery: %v, %v", full, err)
	}
	// The library calls a 202 an error.
	if _, _, err := l.app.Apps.RedeliverHookDelivery(ctx, lost.ID); err == nil {
		t.Error("no AcceptedError")
	}
	again := <-to.got
	if guid := again.Header.Get("X-GitHub-Delivery"); guid != lost.GUID {
		t.Errorf("the GUID is %s, was %s", guid, lost.GUID)
	}
	logged := func() bool { log := l.Deliveries(); return log[len(log)-1].Redelivery }
	if err := l.Wait(ctx, logged); err != nil {
		t.Fatal(err)
	}
	log := l.Deliveries()
	if last := log[len(log)-1]; !last.Redelivery || last.ID == lost.ID || last.GUID != lost.GUID {
		t.Errorf("last in the log: %+v", last)
	}
}

// TestRerequest has GitHub ask for a check run again.
func TestRerequest(t *testing.T) {
	l, to := newLab(t, fakegithub.Options{}), newReceiver(t)
	l.SetWebhook(to.URL, "s")
	run, _, err := l.client.Checks.CreateCheckRun(t.Context(), "octo-lab", "kernel", github.CreateCheckRunOptions{
		Name: "smoke", HeadSHA: l.repo.Head(""), Conclusion: new("failure"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.client.Checks.ReRequestCheckRun(t.Context(), "octo-lab", "kernel", run.GetID()); err != nil {
		t.Fatal(err)
	}
	if got := (<-to.got).Header.Get("X-GitHub-Event"); got != "check_run" {
		t.Errorf("event %q", got)
	}
}

// TestExamples delivers each of GitHub's own examples.
func TestExamples(t *testing.T) {
	files, err := octokit.Locate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	examples, err := files.ReadExamples()
	if err != nil {
		t.Fatal(err)
	}
	if len(examples) < 300 {
		t.Errorf("only %d examples", len(examples))
	}
	l, to := newLab(t, fakegithub.Options{}), newReceiver(t)
	l.SetWebhook(to.URL, "s")
	for _, e := range examples {
		if d, err := l.Deliver(t.Context(), e.Event, e.Payload, fakegithub.DeliveryOptions{}); err != nil ||
			d.Status != http.StatusAccepted {
			t.Errorf("%s: %+v, %v", e.Event, d, err)
		}
		<-to.got
	}
	// The log shows each of them in GitHub's form, whatever its payload.
	list, _, err := l.app.Apps.ListHookDeliveries(t.Context(), &github.ListCursorOptions{PerPage: 100})
	if err != nil || len(list) != 100 {
		t.Errorf("log: %d, %v", len(list), err)
	}
}
