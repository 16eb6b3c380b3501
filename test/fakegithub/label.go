package fakegithub

import (
	"net/http"
	"slices"
)

func (c *call) pathIssue() *pull { return c.auth.repo.pull(int(c.number("issue_number"))) }

// getLabels serves GET /repos/{owner}/{repo}/issues/{issue_number}/labels.
func (c *call) getLabels() reply {
	if p := c.pathIssue(); p != nil {
		return c.page(c.labelsJSON(c.auth.repo, p.labels))
	}
	return notFound()
}

// addLabels serves POST /repos/{owner}/{repo}/issues/{issue_number}/labels, whose
// body is a list of names or an object with one.
func (c *call) addLabels() reply {
	p := c.pathIssue()
	if p == nil {
		return notFound()
	}
	var names []string
	if c.decode(&names) != nil {
		var in struct{ Labels []string }
		if err := c.decode(&in); err != nil {
			return c.invalid("labels are names: %v", err)
		}
		names = in.Labels
	}
	for _, name := range names {
		if !slices.Contains(p.labels, name) {
			p.labels = append(p.labels, name)
		}
	}
	return ok(c.labelsJSON(c.auth.repo, p.labels))
}

// removeLabel serves DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}.
func (c *call) removeLabel() reply {
	p := c.pathIssue()
	if p == nil {
		return notFound()
	}
	i := slices.Index(p.labels, c.op.params["name"])
	if i < 0 {
		return failure(http.StatusNotFound, "Label does not exist")
	}
	p.labels = slices.Delete(p.labels, i, i+1)
	return ok(c.labelsJSON(c.auth.repo, p.labels))
}
