package fakegithub

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// page answers one page of a list, never null.
func (c *call) page(list []object) reply {
	items, header, err := paged(c, list)
	if err != nil {
		return failure(http.StatusUnprocessableEntity, err.Error())
	}
	if items == nil {
		items = []object{}
	}
	return reply{status: http.StatusOK, header: header, body: items}
}

// pageIn answers one page of a list inside an object with its total, as checks do.
func (c *call) pageIn(name string, list []object) reply {
	out := c.page(list)
	if out.status == http.StatusOK {
		out.body = object{"total_count": len(list), name: out.body}
	}
	return out
}

// number is a path parameter that the description calls an integer.
func (c *call) number(name string) int64 {
	n, _ := strconv.ParseInt(c.op.params[name], 10, 64) // checked against the description
	return n
}

func (s *Server) userJSON(a *account) object {
	if a == nil {
		return nil
	}
	api, html := s.url+"/users/"+a.login, s.opts.HTMLURL+"/"+a.login
	return object{
		"login": a.login, "id": a.id, "node_id": nodeID("U", a.id), "type": a.kind, "site_admin": false,
		"avatar_url": fmt.Sprintf("https://avatars.githubusercontent.com/u/%d?v=4", a.id), "gravatar_id": "",
		"url": api, "html_url": html, "followers_url": api + "/followers",
		"following_url": api + "/following{/other_user}", "gists_url": api + "/gists{/gist_id}",
		"starred_url": api + "/starred{/owner}{/repo}", "subscriptions_url": api + "/subscriptions",
		"organizations_url": api + "/orgs", "repos_url": api + "/repos", "events_url": api + "/events{/privacy}",
		"received_events_url": api + "/received_events",
	}
}

// repoLinks are the url fields below a repository's own, in GitHub's templates.
func repoLinks() map[string]string {
	return map[string]string{
		"archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}", "blobs_url": "/git/blobs{/sha}",
		"branches_url": "/branches{/branch}", "collaborators_url": "/collaborators{/collaborator}",
		"comments_url": "/comments{/number}",
		"commits_url":  "/commits{/sha}", "compare_url": "/compare/{base}...{head}", "contents_url": "/contents/{+path}",
		"contributors_url": "/contributors", "deployments_url": "/deployments", "downloads_url": "/downloads",
		"events_url": "/events",
		"forks_url":  "/forks", "git_commits_url": "/git/commits{/sha}", "git_refs_url": "/git/refs{/sha}",
		"git_tags_url": "/git/tags{/sha}",
		"hooks_url":    "/hooks", "issue_comment_url": "/issues/comments{/number}",
		"issue_events_url": "/issues/events{/number}",
		"issues_url":       "/issues{/number}", "keys_url": "/keys{/key_id}", "labels_url": "/labels{/name}",
		"languages_url": "/languages",
		"merges_url":    "/merges", "milestones_url": "/milestones{/number}",
		"notifications_url": "/notifications{?since,all,participating}",
		"pulls_url":         "/pulls{/number}", "releases_url": "/releases{/id}", "stargazers_url": "/stargazers",
		"statuses_url":    "/statuses/{sha}",
		"subscribers_url": "/subscribers", "subscription_url": "/subscription", "tags_url": "/tags", "teams_url": "/teams",
		"trees_url": "/git/trees{/sha}",
	}
}

func (s *Server) repoURL(r *repository) string  { return s.url + "/repos/" + r.fullName() }
func (s *Server) repoHTML(r *repository) string { return s.opts.HTMLURL + "/" + r.fullName() }

func (s *Server) repositoryJSON(r *repository) object {
	if r == nil {
		return nil
	}
	html := s.repoHTML(r)
	visibility := "public"
	if r.private {
		visibility = "private"
	}
	open := 0
	for _, p := range r.pulls {
		if p.state == "open" {
			open++
		}
	}
	out := object{
		"id": r.id, "node_id": nodeID("R", r.id), "name": r.name, "full_name": r.fullName(), "owner": s.userJSON(r.owner),
		"private": r.private, "visibility": visibility, "html_url": html, "description": nil, "fork": r.parent != nil,
		"url": s.repoURL(r), "git_url": "git" + strings.TrimPrefix(html, "https") + ".git", "clone_url": html + ".git",
		"svn_url": html,
		"ssh_url": "git@github.com:" + r.fullName() + ".git", "mirror_url": nil, "homepage": nil, "language": nil,
		"license":    nil,
		"created_at": stamp(r.created), "updated_at": stamp(r.pushed), "pushed_at": stamp(r.pushed), "default_branch": r.main,
		"size": 1, "forks": 0, "forks_count": 0, "stargazers_count": 0, "watchers": 0, "watchers_count": 0,
		"open_issues": open, "open_issues_count": open, "has_issues": true, "has_projects": false, "has_wiki": false,
		"has_pages": false, "has_downloads": true, "has_discussions": false, "archived": false, "disabled": false,
		"allow_forking": true, "is_template": false, "web_commit_signoff_required": false, "topics": []string{},
		"custom_properties": object{},
	}
	for name, path := range repoLinks() {
		out[name] = s.repoURL(r) + path
	}
	return out
}

// minimalRepositoryJSON is a repository inside something else.
func (s *Server) minimalRepositoryJSON(r *repository) object {
	full, out := s.repositoryJSON(r), object{}
	for name := range repoLinks() {
		out[name] = full[name]
	}
	for _, name := range []string{
		"id", "node_id", "name", "full_name", "owner", "private", "html_url", "description",
		"fork", "url",
	} {
		out[name] = full[name]
	}
	return out
}

// getRepository serves GET /repos/{owner}/{repo}.
func (c *call) getRepository() reply {
	out := c.repositoryJSON(c.auth.repo)
	out["subscribers_count"], out["network_count"] = 0, 0
	if parent := c.auth.repo.parent; parent != nil {
		out["parent"], out["source"] = c.repositoryJSON(parent), c.repositoryJSON(parent)
	}
	return ok(out)
}

func (s *Server) appJSON() object {
	owner := s.state.account(s.opts.AppSlug + "-owner")
	permissions, events := DefaultPermissions(), []string{"check_run", "check_suite", "pull_request"}
	if len(s.state.installations) > 0 {
		permissions, events = s.state.installations[0].permissions, s.state.installations[0].events
	}
	return object{
		"id": s.opts.AppID, "node_id": nodeID("A", s.opts.AppID), "slug": s.opts.AppSlug, "name": s.opts.AppSlug,
		"client_id": fmt.Sprintf("Iv23li%014d", s.opts.AppID), "owner": s.userJSON(owner), "description": "",
		"external_url": "https://example.com", "html_url": s.opts.HTMLURL + "/apps/" + s.opts.AppSlug,
		"created_at": stamp(s.started), "updated_at": stamp(s.started),
		"permissions": withMetadata(permissions), "events": events,
	}
}

func withMetadata(permissions map[string]string) map[string]string {
	all := map[string]string{"metadata": "read"}
	maps.Copy(all, permissions)
	return all
}

func (s *Server) installationJSON(inst *installation) object {
	html := fmt.Sprintf("%s/settings/installations/%d", s.opts.HTMLURL, inst.id)
	if inst.account.kind == "Organization" {
		html = fmt.Sprintf("%s/organizations/%s/settings/installations/%d", s.opts.HTMLURL, inst.account.login, inst.id)
	}
	out := object{
		"id": inst.id, "account": s.userJSON(inst.account), "repository_selection": inst.selection,
		"access_tokens_url": fmt.Sprintf("%s/app/installations/%d/access_tokens", s.url, inst.id),
		"repositories_url":  s.url + "/installation/repositories", "html_url": html,
		"app_id": s.opts.AppID, "app_slug": s.opts.AppSlug, "target_id": inst.account.id, "target_type": inst.account.kind,
		"permissions": inst.permissions, "events": inst.events,
		"created_at": stamp(inst.created), "updated_at": stamp(inst.created),
		"single_file_name": nil, "has_multiple_single_files": false, "single_file_paths": []string{},
		"suspended_by": nil, "suspended_at": nil,
	}
	if inst.suspended {
		out["suspended_by"], out["suspended_at"] = s.userJSON(inst.account), stamp(inst.created)
	}
	return out
}

func (s *Server) commitURL(r *repository, sha string) string {
	return s.repoURL(r) + "/git/commits/" + sha
}

func (s *Server) commitJSON(r *repository, c *commit) object {
	person := object{"name": c.author.login, "email": c.author.email(), "date": stamp(c.when)}
	parents := []object{}
	if c.parent != "" {
		parents = append(parents, object{
			"sha": c.parent, "url": s.repoURL(r) + "/commits/" + c.parent, "html_url": s.repoHTML(r) + "/commit/" + c.parent,
		})
	}
	return object{
		"sha": c.sha, "node_id": nodeID("C", r.id), "url": s.repoURL(r) + "/commits/" + c.sha,
		"html_url":     s.repoHTML(r) + "/commit/" + c.sha,
		"comments_url": s.repoURL(r) + "/commits/" + c.sha + "/comments", "author": s.userJSON(c.author),
		"committer": s.userJSON(c.author),
		"parents":   parents,
		"commit": object{
			"url": s.commitURL(r, c.sha), "author": person, "committer": person, "message": c.message, "comment_count": 0,
			"tree":         object{"sha": c.tree, "url": s.repoURL(r) + "/git/trees/" + c.tree},
			"verification": unverified(),
		},
	}
}

func unverified() object {
	return object{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil}
}

func simpleCommitJSON(c *commit) object {
	person := object{"name": c.author.login, "email": c.author.email()}
	return object{
		"id": c.sha, "tree_id": c.tree, "message": c.message, "timestamp": stamp(c.when), "author": person,
		"committer": person,
	}
}

// diffJSON lists what changed from one commit to another, without patches.
func (s *Server) diffJSON(r *repository, from, to *commit) []object {
	before := map[string]blob{}
	if from != nil {
		before = from.files
	}
	var list []object
	add := func(name, status string, file blob, added, deleted int) {
		list = append(list, object{
			"sha": file.sha, "filename": name, "status": status, "additions": added, "deletions": deleted,
			"changes":      added + deleted,
			"blob_url":     s.repoHTML(r) + "/blob/" + to.sha + "/" + escapePath(name),
			"raw_url":      s.repoHTML(r) + "/raw/" + to.sha + "/" + escapePath(name),
			"contents_url": s.repoURL(r) + "/contents/" + escapePath(name) + "?ref=" + to.sha,
		})
	}
	for _, name := range sortedKeys(to.files) {
		file := to.files[name]
		old, had := before[name]
		switch {
		case !had:
			add(name, "added", file, lines(file), 0)
		case old.sha != file.sha || old.mode != file.mode:
			add(name, "modified", file, lines(file), lines(old))
		}
	}
	for _, name := range sortedKeys(before) {
		if _, has := to.files[name]; !has {
			add(name, "removed", before[name], 0, lines(before[name]))
		}
	}
	return list
}

func lines(b blob) int { return strings.Count(string(b.data), "\n") }
