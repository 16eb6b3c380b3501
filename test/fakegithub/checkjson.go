package fakegithub

import (
	"cmp"
	"fmt"
	"slices"
)

// listCheckRuns lists newest first, and by default only the latest of each name in a suite.
func (c *call) listCheckRuns(belongs func(*checkRun) bool) reply {
	type key struct {
		suite int64
		name  string
	}
	seen := map[key]bool{}
	all := cmp.Or(c.query("filter"), "latest") == "all"
	var list []object
	for _, run := range slices.Backward(c.auth.repo.checks) {
		name, app := c.query("check_name"), c.query("app_id")
		if !belongs(run) || name != "" && name != run.Name || app != "" && app != fmt.Sprint(run.AppID) {
			continue
		}
		k := key{run.SuiteID, run.Name}
		latest := !seen[k]
		seen[k] = true
		if status := c.query("status"); status != "" && status != run.Status || !latest && !all {
			continue
		}
		list = append(list, c.checkRunJSON(c.auth.repo, run))
	}
	return c.pageIn("check_runs", list)
}

func (s *Server) checkRunJSON(r *repository, run *checkRun) object {
	api := fmt.Sprintf("%s/check-runs/%d", s.repoURL(r), run.ID)
	app := s.appJSON()
	if run.AppID != s.opts.AppID {
		app["id"], app["slug"], app["name"] = run.AppID, fmt.Sprintf("app-%d", run.AppID), fmt.Sprintf("app-%d", run.AppID)
	}
	return object{
		"id": run.ID, "node_id": run.NodeID, "name": run.Name, "head_sha": run.HeadSHA, "external_id": run.ExternalID,
		"url": api, "html_url": run.HTMLURL, "details_url": run.DetailsURL, "status": run.Status,
		"conclusion": orNull(run.Conclusion),
		"started_at": stamp(run.StartedAt), "completed_at": stamp(run.CompletedAt), "check_suite": object{"id": run.SuiteID},
		"app":           app,
		"pull_requests": s.pullMinimalJSON(r, run.HeadSHA),
		"output": object{
			"title": orNull(run.Title), "summary": orNull(run.Summary), "text": orNull(run.Text),
			"annotations_count": len(run.Annotations), "annotations_url": api + "/annotations",
		},
	}
}
