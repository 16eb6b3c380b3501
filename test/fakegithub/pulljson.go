package fakegithub

import "fmt"

// pullSimpleJSON is a pull request in a list.
func (s *Server) pullSimpleJSON(r *repository, p *pull) object {
	api := fmt.Sprintf("%s/pulls/%d", s.repoURL(r), p.number)
	issue := fmt.Sprintf("%s/issues/%d", s.repoURL(r), p.number)
	html := fmt.Sprintf("%s/pull/%d", s.repoHTML(r), p.number)
	statuses := s.repoURL(r) + "/statuses/" + p.head
	links := object{}
	for name, href := range map[string]string{
		"self": api, "html": html, "issue": issue, "comments": issue + "/comments", "commits": api + "/commits",
		"statuses": statuses, "review_comments": api + "/comments",
		"review_comment": s.repoURL(r) + "/pulls/comments{/number}",
	} {
		links[name] = object{"href": href}
	}
	return object{
		"id": p.id, "node_id": nodeID("PR", p.id), "number": p.number, "state": p.state, "locked": false,
		"active_lock_reason": nil,
		"title":              p.title, "body": orNull(p.body), "user": s.userJSON(p.user), "draft": p.draft,
		"labels": s.labelsJSON(r, p.labels),
		"url":    api, "html_url": html, "diff_url": html + ".diff", "patch_url": html + ".patch", "issue_url": issue,
		"commits_url": api + "/commits", "comments_url": issue + "/comments", "statuses_url": statuses,
		"review_comments_url": api + "/comments", "review_comment_url": s.repoURL(r) + "/pulls/comments{/number}",
		"created_at": stamp(p.created), "updated_at": stamp(p.updated), "closed_at": stamp(p.closed),
		"merged_at":        p.mergedAt(),
		"merge_commit_sha": orNull(p.merged), "assignee": nil, "assignees": []object{}, "milestone": nil,
		"requested_reviewers": []object{}, "requested_teams": []object{}, "auto_merge": nil,
		"author_association": association(r, p.user), "_links": links,
		"head": s.endJSON(p.headRepo, p.headRef, p.head), "base": s.endJSON(r, p.baseRef, p.baseSHA),
	}
}

// endJSON is the head or the base of a pull request.
func (s *Server) endJSON(r *repository, ref, sha string) object {
	return object{
		"label": r.owner.login + ":" + ref, "ref": ref, "sha": sha, "user": s.userJSON(r.owner), "repo": s.repositoryJSON(r),
	}
}

// pullJSON is a pull request by itself.
func (s *Server) pullJSON(r *repository, p *pull) object {
	out := s.pullSimpleJSON(r, p)
	added, deleted := 0, 0
	files := s.diffJSON(r, r.commits[r.mergeBase(p.baseSHA, p.head)], r.commits[p.head])
	for _, f := range files {
		added += f["additions"].(int)
		deleted += f["deletions"].(int)
	}
	out["merged"], out["merged_by"] = p.merged != "", nil
	if p.merged != "" {
		out["merged_by"] = s.userJSON(r.owner)
	}
	out["mergeable"], out["rebaseable"], out["mergeable_state"] = nil, nil, "unknown"
	if p.state == "open" {
		out["mergeable"], out["rebaseable"], out["mergeable_state"] = true, true, "clean"
	}
	comments := 0
	for _, c := range r.comments {
		if c.number == p.number {
			comments++
		}
	}
	out["comments"], out["review_comments"], out["maintainer_can_modify"] = comments, 0, p.headRepo != r
	out["commits"], out["additions"], out["deletions"] = len(r.history(p.head, p.baseSHA)), added, deleted
	out["changed_files"] = len(files)
	return out
}

func (p *pull) mergedAt() any {
	if p.merged == "" {
		return nil
	}
	return stamp(p.closed)
}

func (s *Server) labelsJSON(r *repository, labels []string) []object {
	list := []object{}
	for i, name := range labels {
		id := r.id*100 + int64(i)
		list = append(list, object{
			"id": id, "node_id": nodeID("LA", id), "url": s.repoURL(r) + "/labels/" + escapePath(name),
			"name": name, "description": "", "color": "ededed", "default": false,
		})
	}
	return list
}

// association is GitHub's author_association.
func association(r *repository, user *account) string {
	switch {
	case user == r.owner:
		return "OWNER"
	case r.role(user.login) != "none":
		return "COLLABORATOR"
	}
	return "NONE"
}

// pullMinimalJSON lists the open pull requests of a commit as checks show them.
// Those from forks are missing, as with GitHub.
func (s *Server) pullMinimalJSON(r *repository, sha string) []object {
	list := []object{}
	for _, p := range r.pulls {
		if p.head != sha || p.headRepo != r || p.state != "open" {
			continue
		}
		repo := object{"id": r.id, "url": s.repoURL(r), "name": r.name}
		list = append(list, object{
			"id": p.id, "number": p.number, "url": fmt.Sprintf("%s/pulls/%d", s.repoURL(r), p.number),
			"head": object{"ref": p.headRef, "sha": p.head, "repo": repo},
			"base": object{"ref": p.baseRef, "sha": p.baseSHA, "repo": repo},
		})
	}
	return list
}
