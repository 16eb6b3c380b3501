package fakegithub

import (
	"net/http"
	"time"
)

// reaction is one of a user to a comment.
type reaction struct {
	id      int64
	user    *account
	content string
	created time.Time
}

func reactionCounts(api string, reactions []reaction) object {
	out := object{"url": api + "/reactions", "total_count": len(reactions)}
	for _, content := range []string{"+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"} {
		n := 0
		for _, r := range reactions {
			if r.content == content {
				n++
			}
		}
		out[content] = n
	}
	return out
}

// getReactions serves GET /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions.
func (c *call) getReactions() reply {
	one := c.pathComment()
	if one == nil {
		return notFound()
	}
	var list []object
	for _, r := range one.reactions {
		if want := c.query("content"); want == "" || want == r.content {
			list = append(list, c.reactionJSON(r))
		}
	}
	return c.page(list)
}

// createReaction serves POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions.
// The same reaction again is answered 200 with the one that is there.
func (c *call) createReaction() reply {
	one := c.pathComment()
	if one == nil {
		return notFound()
	}
	var in struct{ Content string }
	if err := c.decode(&in); err != nil {
		return c.invalid("Problems parsing JSON: %v", err)
	}
	by := c.state.account(c.opts.AppSlug + "[bot]")
	for _, r := range one.reactions {
		if r.user == by && r.content == in.Content {
			return ok(c.reactionJSON(r))
		}
	}
	made := reaction{id: c.state.id(), user: by, content: in.Content, created: c.now()}
	one.reactions = append(one.reactions, made)
	return reply{status: http.StatusCreated, body: c.reactionJSON(made)}
}

func (c *call) reactionJSON(r reaction) object {
	return object{
		"id": r.id, "node_id": nodeID("REA", r.id), "user": c.userJSON(r.user), "content": r.content,
		"created_at": stamp(r.created),
	}
}
