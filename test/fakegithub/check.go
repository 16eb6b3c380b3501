package fakegithub

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// checkRun is a check run.
type checkRun struct {
	CheckRun
	suite *checkSuite
}

// checkSuite holds the check runs of one App for one commit.
type checkSuite struct {
	id      int64
	sha     string
	branch  string
	app     int64
	created time.Time
	updated time.Time
	queued  bool // requested again: open until a run is completed
}

// CheckRun is a check run as it was when asked for.
type CheckRun struct {
	ID          int64
	NodeID      string
	AppID       int64
	SuiteID     int64
	Name        string
	HeadSHA     string
	ExternalID  string
	DetailsURL  string
	HTMLURL     string
	Status      string
	Conclusion  string
	StartedAt   time.Time
	CompletedAt time.Time
	Title       string
	Summary     string
	Text        string
	Annotations []Annotation
	Actions     []CheckAction
	Images      int
	// Updates counts the PATCH requests that changed it.
	Updates int
	// History lists its states, "queued", "in_progress", "success", each once in a row.
	History []string
}

// Annotation is an annotation of a check run.
type Annotation struct {
	Path        string `json:"path"`
	StartLine   int    `json:"start_line"`
	EndLine     int    `json:"end_line"`
	StartColumn *int   `json:"start_column"`
	EndColumn   *int   `json:"end_column"`
	Level       string `json:"annotation_level"`
	Message     string `json:"message"`
	Title       string `json:"title"`
	RawDetails  string `json:"raw_details"`
}

// CheckAction is a button of a check run.
type CheckAction struct {
	Label       string `json:"label"`
	Description string `json:"description"`
	Identifier  string `json:"identifier"`
}

// CheckRuns returns the check runs of a repository, oldest first.
func (r *Repo) CheckRuns() []CheckRun {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	var list []CheckRun
	for _, run := range r.repo.checks {
		list = append(list, run.snapshot())
	}
	return list
}

func (run *checkRun) snapshot() CheckRun {
	out := run.CheckRun
	out.Annotations = slices.Clone(out.Annotations)
	out.Actions = slices.Clone(out.Actions)
	out.History = slices.Clone(out.History)
	return out
}

// AddForeignCheckRun adds a completed check run of another App, as other
// integrations have them on the same commit.
func (r *Repo) AddForeignCheckRun(appID int64, name, sha, conclusion string) CheckRun {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	run := s.newCheckRun(r.repo, appID, name, sha)
	run.Status, run.Conclusion, run.CompletedAt = "completed", conclusion, s.now()
	return run.snapshot()
}

func (s *Server) newCheckRun(r *repository, app int64, name, sha string) *checkRun {
	suite := s.suiteOf(r, app, sha)
	suite.queued, suite.updated = false, s.now()
	run := &checkRun{suite: suite, CheckRun: CheckRun{
		ID: s.state.id(), AppID: app, SuiteID: suite.id, Name: name, HeadSHA: sha, Status: "queued", StartedAt: s.now(),
	}}
	run.NodeID = nodeID("CR", run.ID)
	run.HTMLURL = fmt.Sprintf("%s/runs/%d", s.repoHTML(r), run.ID)
	run.DetailsURL = "https://example.com" // the App's external_url
	r.checks = append(r.checks, run)
	return run
}

func (s *Server) suiteOf(r *repository, app int64, sha string) *checkSuite {
	for _, suite := range r.suites {
		if suite.app == app && suite.sha == sha {
			return suite
		}
	}
	suite := &checkSuite{id: s.state.id(), sha: sha, app: app, created: s.now(), updated: s.now()}
	for name, head := range r.branches {
		if head == sha {
			suite.branch = name
		}
	}
	r.suites = append(r.suites, suite)
	return suite
}

// createCheckRun serves POST /repos/{owner}/{repo}/check-runs.
func (c *call) createCheckRun() reply {
	var in checkInput
	if err := c.decode(&in); err != nil {
		return c.invalid("Problems parsing JSON: %v", err)
	}
	if c.auth.repo.commits[in.HeadSHA] == nil {
		return c.invalid("No commit found for SHA: %s", in.HeadSHA)
	}
	if err := in.check(); err != nil {
		return c.invalid("Invalid request.\n\n%v", err)
	}
	run := c.newCheckRun(c.auth.repo, c.opts.AppID, *in.Name, in.HeadSHA)
	in.apply(run, c.now())
	return reply{status: http.StatusCreated, body: c.checkRunJSON(c.auth.repo, run)}
}

// updateCheckRun serves PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}.
func (c *call) updateCheckRun() reply {
	run := c.pathCheckRun()
	if run == nil {
		return notFound()
	}
	if run.AppID != c.opts.AppID {
		message := fmt.Sprintf(
			"Invalid app_id `%d` - check run can only be modified by the GitHub App that created it.", c.opts.AppID,
		)
		return c.refuse(RuleGitHub, http.StatusForbidden, message, message)
	}
	var in checkInput
	if err := c.decode(&in); err != nil {
		return c.invalid("Problems parsing JSON: %v", err)
	}
	if err := in.check(); err != nil {
		return c.invalid("Invalid request.\n\n%v", err)
	}
	run.Updates++
	in.apply(run, c.now())
	return ok(c.checkRunJSON(c.auth.repo, run))
}

func (c *call) pathCheckRun() *checkRun {
	id := c.number("check_run_id")
	for _, run := range c.auth.repo.checks {
		if run.ID == id {
			return run
		}
	}
	return nil
}

// getCheckRun serves GET /repos/{owner}/{repo}/check-runs/{check_run_id}.
func (c *call) getCheckRun() reply {
	if run := c.pathCheckRun(); run != nil {
		return ok(c.checkRunJSON(c.auth.repo, run))
	}
	return notFound()
}

// getAnnotations serves GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations.
func (c *call) getAnnotations() reply {
	run := c.pathCheckRun()
	if run == nil {
		return notFound()
	}
	var list []object
	for _, a := range run.Annotations {
		list = append(list, object{
			"path": a.Path, "start_line": a.StartLine, "end_line": a.EndLine, "start_column": a.StartColumn,
			"end_column":       a.EndColumn,
			"annotation_level": a.Level, "message": a.Message, "title": orNull(a.Title), "raw_details": orNull(a.RawDetails),
			"blob_href": c.repoHTML(c.auth.repo) + "/blob/" + run.HeadSHA + "/" + escapePath(a.Path),
		})
	}
	return c.page(list)
}

// checkRunsOfRef serves GET /repos/{owner}/{repo}/commits/{ref}/check-runs.
func (c *call) checkRunsOfRef() reply {
	at := c.auth.repo.resolve(c.op.params["ref"])
	if at == nil {
		return failure(http.StatusUnprocessableEntity, "No commit found for SHA: "+c.op.params["ref"])
	}
	return c.listCheckRuns(func(run *checkRun) bool { return run.HeadSHA == at.sha })
}

// checkRunsOfSuite serves GET /repos/{owner}/{repo}/check-suites/{check_suite_id}/check-runs.
func (c *call) checkRunsOfSuite() reply {
	id := c.number("check_suite_id")
	return c.listCheckRuns(func(run *checkRun) bool { return run.SuiteID == id })
}
