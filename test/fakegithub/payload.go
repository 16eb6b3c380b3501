package fakegithub

import (
	"encoding/json"
	"fmt"
)

// event wraps a payload with what every event of a repository has.
func (s *Server) event(name, action string, r *repository, sender *account, body object) Event {
	if action != "" {
		body["action"] = action
	}
	body["sender"] = s.userJSON(sender)
	if r != nil {
		body["repository"] = s.repositoryJSON(r)
		if r.owner.kind == "Organization" {
			body["organization"] = s.organizationJSON(r.owner)
		}
		if inst := r.installation; inst != nil {
			body["installation"] = object{"id": inst.id, "node_id": nodeID("IN", inst.id)}
		}
	}
	payload, err := json.Marshal(body)
	if err != nil {
		panic(err) // maps of strings and numbers: cannot fail
	}
	return Event{Name: name, Payload: payload}
}

func (s *Server) organizationJSON(a *account) object {
	api := s.url + "/orgs/" + a.login
	return object{
		"login": a.login, "id": a.id, "node_id": nodeID("O", a.id), "url": api, "repos_url": api + "/repos",
		"events_url": api + "/events",
		"hooks_url":  api + "/hooks", "issues_url": api + "/issues", "members_url": api + "/members{/member}",
		"public_members_url": api + "/public_members{/member}", "description": "",
		"avatar_url": fmt.Sprintf("https://avatars.githubusercontent.com/u/%d?v=4", a.id),
	}
}

// PullRequestEvent is pull_request with an action: opened, synchronize, reopened,
// closed, labeled, … for the pull request as it is now.
func (r *Repo) PullRequestEvent(action string, number int) (Event, error) {
	var e Event
	err := r.withPull(number, func(p *pull) {
		body := object{"number": p.number, "pull_request": r.server.pullJSON(r.repo, p)}
		if action == "synchronize" {
			body["before"], body["after"] = p.before, p.head
		}
		if labels := r.server.labelsJSON(r.repo, p.labels); len(labels) > 0 &&
			(action == "labeled" || action == "unlabeled") {
			body["label"] = labels[len(labels)-1]
		}
		e = r.server.event("pull_request", action, r.repo, p.user, body)
	})
	return e, err
}

// PushEvent is push for a branch that moved from the commit before to its head now.
func (r *Repo) PushEvent(branch, before string) (Event, error) {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	sha, ok := r.repo.branches[branch]
	if !ok {
		return Event{}, fmt.Errorf("%s has no branch %q", r.FullName(), branch)
	}
	created := before == ""
	if created {
		before = "0000000000000000000000000000000000000000"
	}
	commits := []object{}
	for _, c := range r.repo.history(sha, before) {
		commits = append(commits, s.pushedCommitJSON(r.repo, r.repo.commits[c]))
	}
	pusher := r.repo.commits[sha].author
	return s.event("push", "", r.repo, pusher, object{
		"ref": "refs/heads/" + branch, "before": before, "after": sha, "created": created, "deleted": false, "forced": false,
		"base_ref": nil, "compare": s.repoHTML(r.repo) + "/compare/" + before[:12] + "..." + sha[:12],
		"commits": commits, "head_commit": s.pushedCommitJSON(r.repo, r.repo.commits[sha]),
		"pusher": object{"name": pusher.login, "email": pusher.email()},
	}), nil
}

func (s *Server) pushedCommitJSON(r *repository, c *commit) object {
	out := simpleCommitJSON(c)
	person := object{"name": c.author.login, "email": c.author.email(), "username": c.author.login}
	out["author"], out["committer"] = person, person
	out["distinct"], out["url"] = true, s.repoHTML(r)+"/commit/"+c.sha
	added, removed, modified := []string{}, []string{}, []string{}
	for _, f := range s.diffJSON(r, r.commits[c.parent], c) {
		name, _ := f["filename"].(string)
		switch f["status"] {
		case "added":
			added = append(added, name)
		case "removed":
			removed = append(removed, name)
		default:
			modified = append(modified, name)
		}
	}
	out["added"], out["removed"], out["modified"] = added, removed, modified
	return out
}

// CheckRunEvent is check_run with an action: created, completed, rerequested or
// requested_action, which takes the identifier of the button.
func (r *Repo) CheckRunEvent(action string, id int64, sender, identifier string) (Event, error) {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, run := range r.repo.checks {
		if run.ID == id {
			return s.checkRunEvent(action, r.repo, run, s.state.account(sender), identifier), nil
		}
	}
	return Event{}, fmt.Errorf("%s has no check run %d", r.FullName(), id)
}

func (s *Server) checkRunEvent(action string, r *repository, run *checkRun, sender *account, identifier string) Event {
	out, suite := s.checkRunJSON(r, run), object{}
	full := s.eventSuiteJSON(r, run.suite)
	for _, kept := range []string{
		"id", "node_id", "head_branch", "head_sha", "status", "conclusion", "url", "before", "after", "pull_requests", "app",
		"created_at", "updated_at",
	} {
		suite[kept] = full[kept]
	}
	out["check_suite"], out["app"] = suite, full["app"]
	body := object{"check_run": out}
	if action == "requested_action" {
		body["requested_action"] = object{"identifier": identifier}
	}
	return s.event("check_run", action, r, sender, body)
}

// CheckSuiteEvent is check_suite with an action: requested, rerequested or
// completed, for the App's suite of a commit, which is made if there is none.
func (r *Repo) CheckSuiteEvent(action, sha, sender string) Event {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.checkSuiteEvent(action, r.repo, s.suiteOf(r.repo, s.opts.AppID, sha), s.state.account(sender))
}

func (s *Server) checkSuiteEvent(action string, r *repository, suite *checkSuite, sender *account) Event {
	return s.event("check_suite", action, r, sender, object{"check_suite": s.eventSuiteJSON(r, suite)})
}

// eventSuiteJSON is a check suite without what events leave out.
func (s *Server) eventSuiteJSON(r *repository, suite *checkSuite) object {
	out := s.checkSuiteJSON(r, suite)
	for _, name := range []string{"repository", "rerequestable", "runs_rerequestable"} {
		delete(out, name)
	}
	if app, isObject := out["app"].(object); isObject {
		delete(app, "client_id")
	}
	return out
}

// IssueCommentEvent is issue_comment with an action, created, edited or deleted,
// for a comment on a pull request.
func (r *Repo) IssueCommentEvent(action string, commentID int64) (Event, error) {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range r.repo.comments {
		if c.id != commentID {
			continue
		}
		body := object{"comment": s.commentJSON(r.repo, c), "issue": s.issueJSON(r.repo, r.repo.pull(c.number))}
		if action == "edited" {
			body["changes"] = object{"body": object{"from": c.before}}
		}
		return s.event("issue_comment", action, r.repo, c.user, body), nil
	}
	return Event{}, fmt.Errorf("%s has no comment %d", r.FullName(), commentID)
}

// PingEvent is the ping that GitHub sends to a new webhook.
func (s *Server) PingEvent() Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	hook := s.opts.AppID*1000 + 1
	return s.event("ping", "", nil, s.state.account(s.opts.AppSlug+"-owner"), object{
		"zen": "Keep it logically awesome.", "hook_id": hook,
		"hook": object{
			"type": "App", "id": hook, "name": "web", "active": true, "events": []string{"check_run", "pull_request"},
			"app_id":     s.opts.AppID,
			"config":     object{"content_type": "json", "insecure_ssl": "0", "secret": "********", "url": s.opts.WebhookURL},
			"created_at": stamp(s.started), "updated_at": stamp(s.started), "deliveries_url": s.url + "/app/hook/deliveries",
		},
	})
}

// InstallationEvent is installation with an action: created, deleted, suspend,
// unsuspend or new_permissions_accepted.
func (s *Server) InstallationEvent(action string, id int64) (Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, inst := range s.state.installations {
		if inst.id != id {
			continue
		}
		repos := []object{}
		for _, r := range s.state.ordered {
			if r.installation == inst {
				repos = append(repos, object{
					"id": r.id, "node_id": nodeID("R", r.id), "name": r.name, "full_name": r.fullName(), "private": r.private,
				})
			}
		}
		return s.event("installation", action, nil, inst.account, object{
			"installation": s.installationJSON(inst), "repositories": repos,
		}), nil
	}
	return Event{}, fmt.Errorf("no installation %d", id)
}

// WorkflowRunEvent is workflow_run with an action: requested, in_progress or completed.
func (r *Repo) WorkflowRunEvent(action string, runID int64) (Event, error) {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, run := range r.repo.runs {
		if run.id != runID {
			continue
		}
		out := s.workflowRunJSON(r.repo, run)
		workflow := object{
			"id": out["workflow_id"], "node_id": nodeID("W", r.repo.id), "name": run.name, "path": run.path, "state": "active",
			"created_at": stamp(r.repo.created), "updated_at": stamp(r.repo.created), "url": out["workflow_url"],
			"html_url":  s.repoHTML(r.repo) + "/blob/main/" + run.path,
			"badge_url": s.repoHTML(r.repo) + "/workflows/" + escapePath(run.name) + "/badge.svg",
		}
		return s.event("workflow_run", action, r.repo, r.repo.commits[run.sha].author, object{
			"workflow_run": out, "workflow": workflow,
		}), nil
	}
	return Event{}, fmt.Errorf("%s has no workflow run %d", r.FullName(), runID)
}

// MergeGroupEvent is merge_group with the action checks_requested, for a commit
// that the merge queue would put on the branch base.
func (r *Repo) MergeGroupEvent(sha, base string) (Event, error) {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	head, ok := r.repo.commits[sha]
	if !ok {
		return Event{}, fmt.Errorf("%s has no commit %q", r.FullName(), sha)
	}
	return s.event("merge_group", "checks_requested", r.repo, r.repo.owner, object{"merge_group": object{
		"head_sha": sha, "head_ref": "refs/heads/gh-readonly-queue/" + base + "/pr-1-" + sha,
		"base_sha": r.repo.branches[base], "base_ref": "refs/heads/" + base, "head_commit": simpleCommitJSON(head),
	}}), nil
}
