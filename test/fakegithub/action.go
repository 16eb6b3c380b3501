package fakegithub

import (
	"archive/zip"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// artifactLife is how long GitHub keeps artifacts unless told otherwise.
const artifactLife = 90 * 24 * time.Hour

// workflowRun is a run of a GitHub Actions workflow.
type workflowRun struct {
	id         int64
	name       string
	path       string
	event      string
	branch     string
	sha        string
	status     string
	conclusion string
	number     int
	created    time.Time
}

// artifact is a zip that a workflow run uploaded.
type artifact struct {
	id      int64
	run     *workflowRun
	name    string
	data    []byte
	created time.Time
	expired bool
}

// WorkflowRunOptions describe a workflow run that took place.
type WorkflowRunOptions struct {
	Name       string // of the workflow
	Event      string // pull_request when empty
	Branch     string
	SHA        string
	Conclusion string // success when empty
	// Artifacts are the uploads: name → path in the zip → content.
	Artifacts map[string]map[string][]byte
}

// AddWorkflowRun adds a completed workflow run with its artifacts, and returns its id.
func (r *Repo) AddWorkflowRun(o WorkflowRunOptions) (int64, error) {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.repo.commits[o.SHA] == nil {
		return 0, fmt.Errorf("add workflow run: no commit %q", o.SHA)
	}
	run := &workflowRun{
		id: s.state.id(), name: o.Name, path: ".github/workflows/" + o.Name + ".yml", event: cmp.Or(o.Event, "pull_request"),
		branch: o.Branch, sha: o.SHA, status: "completed", conclusion: cmp.Or(o.Conclusion, "success"),
		number: len(r.repo.runs) + 1, created: s.now(),
	}
	for _, name := range sortedKeys(o.Artifacts) {
		data, err := zipped(o.Artifacts[name])
		if err != nil {
			return 0, fmt.Errorf("add workflow run: %w", err)
		}
		r.repo.artifacts = append(r.repo.artifacts, &artifact{
			id: s.state.id(), run: run, name: name, data: data, created: s.now(),
		})
	}
	r.repo.runs = append(r.repo.runs, run)
	return run.id, nil
}

// ExpireArtifacts makes a run's artifacts expire: they are listed, and gone.
func (r *Repo) ExpireArtifacts(runID int64) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	for _, a := range r.repo.artifacts {
		if a.run.id == runID {
			a.expired = true
		}
	}
}

func zipped(files map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range sortedKeys(files) {
		w, err := z.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (s *Server) workflowRunJSON(r *repository, run *workflowRun) object {
	api := fmt.Sprintf("%s/actions/runs/%d", s.repoURL(r), run.id)
	suite := s.suiteOf(r, actionsAppID, run.sha)
	repo, actor := s.minimalRepositoryJSON(r), s.userJSON(r.commits[run.sha].author)
	return object{
		"id": run.id, "node_id": nodeID("WFR", run.id), "name": run.name, "path": run.path, "display_title": run.name,
		"event":       run.event,
		"head_branch": orNull(run.branch), "head_sha": run.sha, "run_number": run.number, "run_attempt": 1,
		"status":     run.status,
		"conclusion": orNull(run.conclusion), "workflow_id": r.id + 1, "url": api,
		"html_url":       fmt.Sprintf("%s/actions/runs/%d", s.repoHTML(r), run.id),
		"check_suite_id": suite.id, "check_suite_node_id": nodeID("CS", suite.id),
		"check_suite_url": fmt.Sprintf("%s/check-suites/%d", s.repoURL(r), suite.id),
		"pull_requests":   s.pullMinimalJSON(r, run.sha), "created_at": stamp(run.created), "updated_at": stamp(run.created),
		"run_started_at": stamp(run.created),
		"jobs_url":       api + "/jobs", "logs_url": api + "/logs", "artifacts_url": api + "/artifacts",
		"cancel_url": api + "/cancel", "rerun_url": api + "/rerun",
		"previous_attempt_url": nil, "workflow_url": fmt.Sprintf("%s/actions/workflows/%d", s.repoURL(r), r.id+1),
		"referenced_workflows": []object{},
		"head_commit":          simpleCommitJSON(r.commits[run.sha]), "repository": repo, "head_repository": repo,
		"actor": actor, "triggering_actor": actor,
	}
}

// actionsAppID is the id of GitHub Actions itself on github.com.
const actionsAppID = 15368

// getWorkflowRuns serves GET /repos/{owner}/{repo}/actions/runs, newest first.
func (c *call) getWorkflowRuns() reply {
	var list []object
	for _, run := range slices.Backward(c.auth.repo.runs) {
		skip := false
		for name, is := range map[string]string{"head_sha": run.sha, "branch": run.branch, "event": run.event} {
			skip = skip || c.query(name) != "" && c.query(name) != is
		}
		if want := c.query("status"); skip || want != "" && want != run.status && want != run.conclusion {
			continue
		}
		list = append(list, c.workflowRunJSON(c.auth.repo, run))
	}
	return c.pageIn("workflow_runs", list)
}

// getWorkflowRun serves GET /repos/{owner}/{repo}/actions/runs/{run_id}.
func (c *call) getWorkflowRun() reply {
	for _, run := range c.auth.repo.runs {
		if run.id == c.number("run_id") {
			return ok(c.workflowRunJSON(c.auth.repo, run))
		}
	}
	return notFound()
}

// getArtifacts serves GET /repos/{owner}/{repo}/actions/artifacts and the same of one run.
func (c *call) getArtifacts() reply {
	var list []object
	for _, a := range slices.Backward(c.auth.repo.artifacts) {
		if run := c.op.params["run_id"]; run != "" && run != fmt.Sprint(a.run.id) ||
			c.query("name") != "" && c.query("name") != a.name {
			continue
		}
		list = append(list, c.artifactJSON(a))
	}
	return c.pageIn("artifacts", list)
}

func (c *call) pathArtifact() *artifact {
	for _, a := range c.auth.repo.artifacts {
		if a.id == c.number("artifact_id") {
			return a
		}
	}
	return nil
}

// getArtifact serves GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}.
func (c *call) getArtifact() reply {
	if a := c.pathArtifact(); a != nil {
		return ok(c.artifactJSON(a))
	}
	return notFound()
}

// downloadArtifact serves GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}.
func (c *call) downloadArtifact() reply {
	a := c.pathArtifact()
	switch {
	case a == nil || c.op.params["archive_format"] != "zip":
		return notFound()
	case a.expired:
		return failure(http.StatusGone, "Artifact has expired")
	}
	return c.redirect(fmt.Sprintf("%s%s/%d", artifactPrefix, c.auth.repo.fullName(), a.id))
}

func (c *call) artifactJSON(a *artifact) object {
	api := fmt.Sprintf("%s/actions/artifacts/%d", c.repoURL(c.auth.repo), a.id)
	sum := sha256.Sum256(a.data)
	return object{
		"id": a.id, "node_id": nodeID("AR", a.id), "name": a.name, "size_in_bytes": len(a.data), "url": api,
		"archive_download_url": api + "/zip",
		"expired":              a.expired, "digest": "sha256:" + hex.EncodeToString(sum[:]),
		"created_at": stamp(a.created), "updated_at": stamp(a.created), "expires_at": stamp(a.created.Add(artifactLife)),
		"workflow_run": object{
			"id": a.run.id, "repository_id": c.auth.repo.id, "head_repository_id": c.auth.repo.id, "head_branch": a.run.branch,
			"head_sha": a.run.sha,
		},
	}
}
