package fakegithub

import (
	"fmt"
	"net/http"
	"slices"
)

// outcome is a suite's status and conclusion: that of its latest runs.
func (r *repository) outcome(suite *checkSuite) (status, conclusion string, runs int) {
	latest := map[string]*checkRun{}
	for _, run := range r.checks {
		if run.suite == suite {
			latest[run.Name] = run
		}
	}
	if suite.queued || len(latest) == 0 {
		return "queued", "", len(latest)
	}
	// The worst of the runs counts, in this order.
	order := []string{"failure", "timed_out", "action_required", "cancelled", "success", "neutral", "skipped"}
	worst := len(order) - 1
	for _, run := range latest {
		if run.Status != "completed" {
			return run.Status, "", len(latest)
		}
		if i := slices.Index(order, run.Conclusion); i >= 0 {
			worst = min(worst, i)
		}
	}
	return "completed", order[worst], len(latest)
}

func (s *Server) checkSuiteJSON(r *repository, suite *checkSuite) object {
	status, conclusion, runs := r.outcome(suite)
	at := r.commits[suite.sha]
	before := "0000000000000000000000000000000000000000"
	if at.parent != "" {
		before = at.parent
	}
	api := fmt.Sprintf("%s/check-suites/%d", s.repoURL(r), suite.id)
	app := s.appJSON()
	app["id"] = suite.app
	return object{
		"id": suite.id, "node_id": nodeID("CS", suite.id), "head_branch": orNull(suite.branch), "head_sha": suite.sha,
		"status": status, "conclusion": orNull(conclusion), "url": api, "before": before, "after": suite.sha, "app": app,
		"pull_requests": s.pullMinimalJSON(r, suite.sha), "repository": s.minimalRepositoryJSON(r),
		"head_commit": simpleCommitJSON(at),
		"created_at":  stamp(suite.created), "updated_at": stamp(suite.updated), "latest_check_runs_count": runs,
		"check_runs_url": api + "/check-runs", "rerequestable": true, "runs_rerequestable": true,
	}
}

func (c *call) pathSuite() *checkSuite {
	id := c.number("check_suite_id")
	for _, suite := range c.auth.repo.suites {
		if suite.id == id {
			return suite
		}
	}
	return nil
}

// getCheckSuite serves GET /repos/{owner}/{repo}/check-suites/{check_suite_id}.
func (c *call) getCheckSuite() reply {
	if suite := c.pathSuite(); suite != nil {
		return ok(c.checkSuiteJSON(c.auth.repo, suite))
	}
	return notFound()
}

// suitesOfRef serves GET /repos/{owner}/{repo}/commits/{ref}/check-suites.
func (c *call) suitesOfRef() reply {
	at := c.auth.repo.resolve(c.op.params["ref"])
	if at == nil {
		return failure(http.StatusUnprocessableEntity, "No commit found for SHA: "+c.op.params["ref"])
	}
	var list []object
	for _, suite := range c.auth.repo.suites {
		if app := c.query("app_id"); suite.sha == at.sha && (app == "" || app == fmt.Sprint(suite.app)) {
			list = append(list, c.checkSuiteJSON(c.auth.repo, suite))
		}
	}
	return c.pageIn("check_suites", list)
}

// rerequestCheckRun serves POST /repos/{owner}/{repo}/check-runs/{check_run_id}/rerequest.
// The suite is open again; whether the run is reset or made anew is for its App to say.
func (c *call) rerequestCheckRun() reply {
	run := c.pathCheckRun()
	if run == nil {
		return notFound()
	}
	if run.Status != "completed" {
		return c.invalid("This check run is not rerequestable: it is %s", run.Status)
	}
	run.suite.queued = true
	e := c.checkRunEvent("rerequested", c.auth.repo, run, c.state.account(c.opts.AppSlug+"[bot]"), "")
	c.later(e.Name, e.Payload, DeliveryOptions{})
	return reply{status: http.StatusCreated, body: object{}}
}

// rerequestCheckSuite serves POST /repos/{owner}/{repo}/check-suites/{check_suite_id}/rerequest.
func (c *call) rerequestCheckSuite() reply {
	suite := c.pathSuite()
	if suite == nil {
		return notFound()
	}
	suite.queued = true
	e := c.checkSuiteEvent("rerequested", c.auth.repo, suite, c.state.account(c.opts.AppSlug+"[bot]"))
	c.later(e.Name, e.Payload, DeliveryOptions{})
	return reply{status: http.StatusCreated, body: object{}}
}
