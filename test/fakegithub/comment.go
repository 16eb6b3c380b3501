package fakegithub

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxComment is GitHub's limit for the body of a comment, in characters.
const maxComment = 65536

// comment is a comment on a pull request.
type comment struct {
	id        int64
	number    int
	user      *account
	byApp     bool
	body      string
	before    string // the body before the last edit
	created   time.Time
	updated   time.Time
	reactions []reaction
}

// Comment is a comment as it was when asked for.
type Comment struct {
	ID        int64
	Number    int // of the pull request
	Author    string
	Body      string
	Edits     bool
	Reactions []string // "+1", "eyes", …
}

// Comments returns the comments of a pull request, oldest first.
func (r *Repo) Comments(number int) []Comment {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	var list []Comment
	for _, c := range r.repo.comments {
		if c.number == number {
			list = append(list, c.snapshot())
		}
	}
	return list
}

func (c *comment) snapshot() Comment {
	out := Comment{ID: c.id, Number: c.number, Author: c.user.login, Body: c.body, Edits: c.before != ""}
	for _, r := range c.reactions {
		out.Reactions = append(out.Reactions, r.content)
	}
	return out
}

// AddComment adds a user's comment to a pull request.
func (r *Repo) AddComment(number int, login, body string) (Comment, error) {
	var out Comment
	err := r.withPull(number, func(*pull) {
		out = r.server.newComment(r.repo, number, r.server.state.account(login), body).snapshot()
	})
	return out, err
}

// EditComment replaces the body of a comment.
func (r *Repo) EditComment(id int64, body string) error {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	for _, c := range r.repo.comments {
		if c.id == id {
			c.before, c.body, c.updated = c.body, body, r.server.now()
			return nil
		}
	}
	return fmt.Errorf("%s has no comment %d", r.FullName(), id)
}

func (s *Server) newComment(r *repository, number int, by *account, body string) *comment {
	c := &comment{id: s.state.id(), number: number, user: by, body: body, created: s.now(), updated: s.now()}
	r.comments = append(r.comments, c)
	return c
}

func (s *Server) commentJSON(r *repository, c *comment) object {
	api := fmt.Sprintf("%s/issues/comments/%d", s.repoURL(r), c.id)
	out := object{
		"id": c.id, "node_id": nodeID("IC", c.id), "url": api,
		"html_url":  fmt.Sprintf("%s/pull/%d#issuecomment-%d", s.repoHTML(r), c.number, c.id),
		"issue_url": fmt.Sprintf("%s/issues/%d", s.repoURL(r), c.number), "user": s.userJSON(c.user), "body": c.body,
		"created_at": stamp(c.created), "updated_at": stamp(c.updated), "author_association": association(r, c.user),
		"performed_via_github_app": nil, "reactions": reactionCounts(api, c.reactions),
	}
	if c.byApp {
		out["performed_via_github_app"] = s.appJSON()
	}
	return out
}

// issueJSON is a pull request as an issue, for the issue_comment event.
func (s *Server) issueJSON(r *repository, p *pull) object {
	out := s.pullSimpleJSON(r, p)
	api, pullAPI, html := out["issue_url"].(string), out["url"], out["html_url"]
	issue := object{
		"url": api, "repository_url": s.repoURL(r), "labels_url": api + "/labels{/name}", "comments_url": api + "/comments",
		"events_url": api + "/events", "html_url": html, "timeline_url": api + "/timeline", "performed_via_github_app": nil,
		"state_reason": nil,
		"comments":     0,
		"reactions":    reactionCounts(api, nil),
		"pull_request": object{
			"url": pullAPI, "html_url": html, "diff_url": out["diff_url"], "patch_url": out["patch_url"],
			"merged_at": out["merged_at"],
		},
	}
	for _, same := range []string{
		"id", "node_id", "number", "title", "user", "labels", "state", "locked", "assignee", "assignees", "milestone",
		"created_at",
		"updated_at", "closed_at", "author_association", "active_lock_reason", "body", "draft",
	} {
		issue[same] = out[same]
	}
	for _, c := range r.comments {
		if c.number == p.number {
			issue["comments"] = issue["comments"].(int) + 1
		}
	}
	return issue
}

// getComments serves GET /repos/{owner}/{repo}/issues/{issue_number}/comments.
func (c *call) getComments() reply {
	number := int(c.number("issue_number"))
	if c.auth.repo.pull(number) == nil {
		return notFound()
	}
	var list []object
	for _, one := range c.auth.repo.comments {
		if one.number == number {
			list = append(list, c.commentJSON(c.auth.repo, one))
		}
	}
	return c.page(list)
}

// createComment serves POST /repos/{owner}/{repo}/issues/{issue_number}/comments.
func (c *call) createComment() reply {
	number := int(c.number("issue_number"))
	if c.auth.repo.pull(number) == nil {
		return notFound()
	}
	body, out, refused := c.commentBody()
	if refused {
		return out
	}
	made := c.newComment(c.auth.repo, number, c.state.account(c.opts.AppSlug+"[bot]"), body)
	made.byApp = true
	return reply{status: http.StatusCreated, body: c.commentJSON(c.auth.repo, made)}
}

func (c *call) commentBody() (string, reply, bool) {
	var in struct{ Body string }
	if err := c.decode(&in); err != nil {
		return "", c.invalid("Problems parsing JSON: %v", err), true
	}
	if strings.TrimSpace(in.Body) == "" {
		return "", c.invalid("body cannot be blank"), true
	}
	if len([]rune(in.Body)) > maxComment {
		return "", c.invalid("body is too long (maximum is %d characters)", maxComment), true
	}
	return in.Body, reply{}, false
}

func (c *call) pathComment() *comment {
	id := c.number("comment_id")
	for _, one := range c.auth.repo.comments {
		if one.id == id {
			return one
		}
	}
	return nil
}

// getComment serves GET /repos/{owner}/{repo}/issues/comments/{comment_id}.
func (c *call) getComment() reply {
	if one := c.pathComment(); one != nil {
		return ok(c.commentJSON(c.auth.repo, one))
	}
	return notFound()
}

// updateComment serves PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}.
func (c *call) updateComment() reply {
	one := c.pathComment()
	if one == nil {
		return notFound()
	}
	body, out, refused := c.commentBody()
	if refused {
		return out
	}
	one.before, one.body, one.updated = one.body, body, c.now()
	return ok(c.commentJSON(c.auth.repo, one))
}

// deleteComment serves DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}.
func (c *call) deleteComment() reply {
	one := c.pathComment()
	if one == nil {
		return notFound()
	}
	c.auth.repo.comments = slices.DeleteFunc(c.auth.repo.comments, func(other *comment) bool { return other == one })
	return reply{status: http.StatusNoContent}
}
