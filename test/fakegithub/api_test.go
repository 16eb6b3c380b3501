package fakegithub_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"

	"github.com/gantry-ci/gantry/test/fakegithub"
	"github.com/gantry-ci/gantry/test/fakegithub/octokit"
)

// TestEveryOperation calls every operation with success, by a client that others
// wrote, so that every answer has been held against GitHub's description.
func TestEveryOperation(t *testing.T) {
	l := newLab(t, fakegithub.Options{})
	pull := l.openPull(t, "topic")
	if err := l.repo.SetLabels(pull.Number, "boards"); err != nil {
		t.Fatal(err)
	}
	l.repo.SetRole("alice", "maintain")
	t.Run("app", func(t *testing.T) { useApp(t, l) })
	t.Run("code", func(t *testing.T) { useCode(t, l, pull) })
	t.Run("checks", func(t *testing.T) { useChecks(t, l, pull) })
	t.Run("comments", func(t *testing.T) { useComments(t, l, pull) })
	t.Run("actions", func(t *testing.T) { useActions(t, l, pull) })
	done := map[string]bool{}
	for _, r := range l.Requests() {
		done[r.Operation] = done[r.Operation] || r.Status >= 200 && r.Status < 400
	}
	if _, err := l.client.Apps.RevokeInstallationToken(t.Context()); err != nil {
		t.Error(err)
	}
	done["DELETE /installation/token"] = true
	for _, op := range octokit.Operations() {
		if !done[op] {
			t.Errorf("%s was never answered with success", op)
		}
	}
}

// must fails the test on an error and returns the value.
func must[T any](t *testing.T) func(T, *github.Response, error) T {
	return func(value T, _ *github.Response, err error) T {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		return value
	}
}

func useApp(t *testing.T, l *lab) {
	ctx, apps := t.Context(), l.app.Apps
	must[*github.App](t)(apps.Get(ctx, ""))
	if list := must[[]*github.Installation](t)(apps.ListInstallations(ctx, nil)); len(list) != 1 {
		t.Errorf("installations: %v", list)
	}
	must[*github.Installation](t)(apps.GetInstallation(ctx, l.inst.ID))
	must[*github.Installation](t)(apps.FindRepositoryInstallation(ctx, "octo-lab", "kernel"))
	must[*github.Installation](t)(apps.FindOrganizationInstallation(ctx, "octo-lab"))
	must[*github.Installation](t)(apps.FindUserInstallation(ctx, "octo-lab"))
	must[*github.ListRepositories](t)(l.client.Apps.ListRepos(ctx, nil))
	must[*github.HookConfig](t)(apps.UpdateHookConfig(ctx, &github.HookConfig{
		URL: new("http://127.0.0.1:1/"), Secret: new("s"),
	}))
	if config := must[*github.HookConfig](t)(apps.GetHookConfig(ctx)); config.GetURL() != "http://127.0.0.1:1/" ||
		config.GetSecret() != "********" {
		t.Errorf("hook config: %v", config)
	}
	anonymous := clientOf(t, l.URL(), http.DefaultTransport)
	config := must[*github.AppConfig](t)(anonymous.Apps.CompleteAppManifest(ctx, "code"))
	if config.GetWebhookSecret() != "s" || config.GetPEM() != string(l.PrivateKey()) {
		t.Errorf("manifest: %v", config)
	}
	if limits := must[*github.RateLimits](t)(l.client.RateLimit.Get(ctx)); limits.GetCore().Limit != 5000 {
		t.Errorf("limits: %v", limits)
	}
	must[*github.APIMeta](t)(anonymous.Meta.Get(ctx))
	// Nobody listens on port 1: the log has a delivery that failed.
	if _, err := l.Send(ctx, l.PingEvent()); err == nil {
		t.Error("the ping arrived")
	}
	list := must[[]*github.HookDelivery](t)(apps.ListHookDeliveries(ctx, nil))
	if len(list) != 1 || list[0].GetEvent() != "ping" || list[0].GetStatusCode() != 0 {
		t.Fatalf("deliveries: %v", list)
	}
	must[*github.HookDelivery](t)(apps.GetHookDelivery(ctx, list[0].GetID()))
	// go-github calls a 202 an error.
	if _, _, err := apps.RedeliverHookDelivery(ctx, list[0].GetID()); err == nil ||
		!strings.Contains(err.Error(), "scheduled") {
		t.Errorf("redelivery: %v", err)
	}
}

func useCode(t *testing.T, l *lab, pull fakegithub.Pull) {
	ctx, repos, git := t.Context(), l.client.Repositories, l.client.Git
	const owner, name = "octo-lab", "kernel"
	must[*github.Repository](t)(repos.Get(ctx, owner, name))
	if _, dir, _, err := repos.GetContents(ctx, owner, name, ".github", nil); err != nil || len(dir) != 1 {
		t.Errorf("contents: %v, %v", dir, err)
	}
	link := linked(t)(repos.GetArchiveLink(ctx, owner, name, github.Tarball, &github.RepositoryContentGetOptions{
		Ref: "topic",
	}, 0))
	if body := download(ctx, t, link); len(body) == 0 {
		t.Error("the tarball is empty")
	}
	if list := must[[]*github.Branch](t)(repos.ListBranches(ctx, owner, name, nil)); len(list) != 2 {
		t.Errorf("branches: %v", list)
	}
	must[*github.Branch](t)(repos.GetBranch(ctx, owner, name, "topic", 0))
	if list := must[[]*github.RepositoryCommit](t)(repos.ListCommits(
		ctx, owner, name, &github.CommitsListOptions{SHA: "topic"},
	)); len(list) != 2 {
		t.Errorf("commits: %v", list)
	}
	must[*github.RepositoryCommit](t)(repos.GetCommit(ctx, owner, name, pull.Head, nil))
	comparison := must[*github.CommitsComparison](t)(repos.CompareCommits(ctx, owner, name, "main", "topic", nil))
	if comparison.GetStatus() != "ahead" || comparison.GetAheadBy() != 1 || len(comparison.Files) != 1 {
		t.Errorf("comparison: %v", comparison)
	}
	ref := must[*github.Reference](t)(git.GetRef(ctx, owner, name, "pull/1/head"))
	if ref.GetObject().GetSHA() != pull.Head {
		t.Errorf("ref: %v", ref)
	}
	must[[]*github.Reference](t)(git.ListMatchingRefs(ctx, owner, name, &github.ReferenceListOptions{Ref: "heads/"}))
	commit := must[*github.Commit](t)(git.GetCommit(ctx, owner, name, pull.Head))
	tree := must[*github.Tree](t)(git.GetTree(ctx, owner, name, commit.GetTree().GetSHA(), true))
	if len(tree.Entries) != 9 {
		t.Errorf("tree: %v", tree)
	}
	blob := must[[]byte](t)(git.GetBlobRaw(ctx, owner, name, tree.Entries[1].GetSHA()))
	if string(blob) != "version: 1\n" {
		t.Errorf("blob: %q", blob)
	}
	must[*github.PullRequest](t)(l.client.PullRequests.Get(ctx, owner, name, pull.Number))
	must[[]*github.PullRequest](t)(l.client.PullRequests.List(ctx, owner, name, nil))
	must[[]*github.PullRequest](t)(l.client.PullRequests.ListPullRequestsWithCommit(ctx, owner, name, pull.Head, nil))
	files := must[[]*github.CommitFile](t)(l.client.PullRequests.ListFiles(ctx, owner, name, pull.Number, nil))
	if len(files) != 1 || files[0].GetFilename() != "new.txt" || files[0].GetStatus() != "added" {
		t.Errorf("files: %v", files)
	}
	must[[]*github.RepositoryCommit](t)(l.client.PullRequests.ListCommits(ctx, owner, name, pull.Number, nil))
}

func useChecks(t *testing.T, l *lab, pull fakegithub.Pull) {
	ctx, checks := t.Context(), l.client.Checks
	const owner, name = "octo-lab", "kernel"
	run := must[*github.CheckRun](t)(checks.CreateCheckRun(ctx, owner, name, github.CreateCheckRunOptions{
		Name: "smoke", HeadSHA: pull.Head, Status: new("completed"), Conclusion: new("failure"),
		Output: &github.CheckRunOutput{Title: new("t"), Summary: new("s"), Annotations: annotations(1)},
	}))
	must[*github.CheckRun](t)(checks.UpdateCheckRun(ctx, owner, name, run.GetID(), github.UpdateCheckRunOptions{
		Name: "smoke",
	}))
	must[*github.CheckRun](t)(checks.GetCheckRun(ctx, owner, name, run.GetID()))
	must[[]*github.CheckRunAnnotation](t)(checks.ListCheckRunAnnotations(ctx, owner, name, run.GetID(), nil))
	must[*github.ListCheckRunsResults](t)(checks.ListCheckRunsForRef(ctx, owner, name, "topic", nil))
	suites := must[*github.ListCheckSuiteResults](t)(checks.ListCheckSuitesForRef(ctx, owner, name, pull.Head, nil))
	if suites.GetTotal() != 1 || suites.CheckSuites[0].GetConclusion() != "failure" {
		t.Fatalf("suites: %v", suites)
	}
	id := suites.CheckSuites[0].GetID()
	must[*github.ListCheckRunsResults](t)(checks.ListCheckRunsCheckSuite(ctx, owner, name, id, nil))
	if _, err := checks.ReRequestCheckRun(ctx, owner, name, run.GetID()); err != nil {
		t.Error(err)
	}
	if _, err := checks.ReRequestCheckSuite(ctx, owner, name, id); err != nil {
		t.Error(err)
	}
	if suite := must[*github.CheckSuite](t)(checks.GetCheckSuite(ctx, owner, name, id)); suite.GetStatus() != "queued" ||
		suite.Conclusion != nil {
		t.Errorf("suite requested again: %v", suite)
	}
}

func useComments(t *testing.T, l *lab, pull fakegithub.Pull) {
	ctx, issues := t.Context(), l.client.Issues
	const owner, name = "octo-lab", "kernel"
	asked, err := l.repo.AddComment(pull.Number, "alice", "/gantry run")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second is no second reaction
		must[*github.Reaction](t)(l.client.Reactions.CreateIssueCommentReaction(ctx, owner, name, asked.ID, "eyes"))
	}
	must[[]*github.Reaction](t)(l.client.Reactions.ListIssueCommentReactions(ctx, owner, name, asked.ID, nil))
	answer := must[*github.IssueComment](t)(issues.CreateComment(ctx, owner, name, pull.Number, &github.IssueComment{
		Body: new("on it"),
	}))
	must[*github.IssueComment](t)(issues.EditComment(ctx, owner, name, answer.GetID(), &github.IssueComment{
		Body: new("done"),
	}))
	must[*github.IssueComment](t)(issues.GetComment(ctx, owner, name, answer.GetID()))
	must[[]*github.IssueComment](t)(issues.ListComments(ctx, owner, name, pull.Number, nil))
	all := l.repo.Comments(pull.Number)
	if len(all) != 2 || all[1].Body != "done" || all[1].Author != "gantry[bot]" || len(all[0].Reactions) != 1 {
		t.Errorf("comments: %+v", all)
	}
	if _, err := issues.DeleteComment(ctx, owner, name, answer.GetID()); err != nil {
		t.Error(err)
	}
	must[[]*github.Label](t)(issues.AddLabelsToIssue(ctx, owner, name, pull.Number, []string{"hardware"}))
	if _, err := issues.RemoveLabelForIssue(ctx, owner, name, pull.Number, "boards"); err != nil {
		t.Error(err)
	}
	if labels := must[[]*github.Label](t)(issues.ListLabelsByIssue(
		ctx, owner, name, pull.Number, nil,
	)); len(labels) != 1 || labels[0].GetName() != "hardware" {
		t.Errorf("labels: %v", labels)
	}
	level := must[*github.RepositoryPermissionLevel](t)(l.client.Repositories.GetPermissionLevel(
		ctx, owner, name, "alice",
	))
	if level.GetPermission() != "write" || level.GetUser().GetRoleName() != "maintain" {
		t.Errorf("permission: %v", level)
	}
	if member := must[bool](t)(l.client.Organizations.IsMember(ctx, owner, "alice")); !member {
		t.Error("alice is no member")
	}
}

func useActions(t *testing.T, l *lab, pull fakegithub.Pull) {
	ctx, actions := t.Context(), l.client.Actions
	const owner, name = "octo-lab", "kernel"
	id, err := l.repo.AddWorkflowRun(fakegithub.WorkflowRunOptions{
		Name: "Build on PR", Branch: "topic", SHA: pull.Head,
		Artifacts: map[string]map[string][]byte{"kernel": {"arch/x86/boot/bzImage": []byte("kernel")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	runs := must[*github.WorkflowRuns](t)(actions.ListRepositoryWorkflowRuns(
		ctx, owner, name, &github.ListWorkflowRunsOptions{HeadSHA: pull.Head},
	))
	if runs.GetTotalCount() != 1 || runs.WorkflowRuns[0].GetID() != id {
		t.Errorf("workflow runs: %v", runs)
	}
	must[*github.WorkflowRun](t)(actions.GetWorkflowRunByID(ctx, owner, name, id))
	must[*github.ArtifactList](t)(actions.ListArtifacts(ctx, owner, name, nil))
	list := must[*github.ArtifactList](t)(actions.ListWorkflowRunArtifacts(ctx, owner, name, id, nil))
	if len(list.Artifacts) != 1 {
		t.Fatalf("artifacts: %v", list)
	}
	artifact := must[*github.Artifact](t)(actions.GetArtifact(ctx, owner, name, list.Artifacts[0].GetID()))
	body := download(ctx, t, linked(t)(actions.DownloadArtifact(ctx, owner, name, artifact.GetID(), 0)))
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil || len(z.File) != 1 || z.File[0].Name != "arch/x86/boot/bzImage" {
		t.Errorf("zip: %v, %v", z, err)
	}
	l.repo.ExpireArtifacts(id)
	if _, resp, err := actions.DownloadArtifact(ctx, owner, name, artifact.GetID(), 0); err == nil ||
		resp.StatusCode != http.StatusGone {
		t.Errorf("expired artifact: %v", err)
	}
}

// linked is must for a redirect.
func linked(t *testing.T) func(link *url.URL, _ *github.Response, err error) string {
	return func(link *url.URL, _ *github.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return link.String()
	}
}

func download(ctx context.Context, t *testing.T, link string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("download: %s, %v", resp.Status, err)
	}
	return body
}
