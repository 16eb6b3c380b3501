package ghapi

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/go-github/v60/github"
)

// GitHub's limits of a check run.
const (
	MaxText        = 65535    // bytes of a summary or a text; GitHub counts characters, which are never more
	MaxAnnotations = 50       // of a request; GitHub appends them
	MaxMessage     = 64 << 10 // bytes of an annotation
	MaxTitle       = 255      // bytes of an annotation's title, or of a check run's
)

// CheckRun is a check run to create or to update. Zero fields are left as they are.
type CheckRun struct {
	Name        string     `json:"name"`
	HeadSHA     string     `json:"head_sha,omitempty"` // only for a new one
	ExternalID  string     `json:"external_id,omitempty"`
	DetailsURL  string     `json:"details_url,omitempty"`
	Status      string     `json:"status"` // queued, in_progress, completed
	Conclusion  string     `json:"conclusion,omitempty"`
	StartedAt   *time.Time `json:"started_at,omitempty"`
	CompletedAt *time.Time `json:"completed_at,omitempty"`
	Output      *Output    `json:"output,omitempty"`
}

// Output is what a check run shows.
type Output struct {
	Title       string       `json:"title"`
	Summary     string       `json:"summary"`
	Text        string       `json:"text,omitempty"`
	Annotations []Annotation `json:"annotations,omitempty"` // at most MaxAnnotations; appended to those GitHub has
}

// Annotation is a remark at lines of a file.
type Annotation struct {
	Path      string `json:"path"`
	StartLine int    `json:"start_line"` // 1-based
	EndLine   int    `json:"end_line"`
	Level     string `json:"annotation_level"` // notice, warning, failure
	Message   string `json:"message"`
	Title     string `json:"title,omitempty"`
}

// ExistingCheckRun is a check run at GitHub.
type ExistingCheckRun struct {
	ID          int64
	Status      string
	Conclusion  string
	Annotations int
}

func existing(c *github.CheckRun) ExistingCheckRun {
	return ExistingCheckRun{c.GetID(), c.GetStatus(), c.GetConclusion(), c.GetOutput().GetAnnotationsCount()}
}

// FindCheckRun finds our check run of the name on a commit by its external id. If there is none, it is ErrNotFound.
func (c *Client) FindCheckRun(ctx context.Context, repo, sha, name, externalID string) (ExistingCheckRun, error) {
	action := fmt.Sprintf("find check run %q of %s at %.12s", name, repo, sha)
	owner, repoName, err := splitRepo(repo)
	if err != nil {
		return ExistingCheckRun{}, err
	}
	o := &github.ListCheckRunsOptions{
		CheckName: &name, Filter: new("all"), AppID: &c.appID, ListOptions: github.ListOptions{PerPage: 100},
	}
	for range maxPages {
		list, resp, err := c.gh.Checks.ListCheckRunsForRef(ctx, owner, repoName, sha, o)
		if err != nil {
			return ExistingCheckRun{}, classify(action, err)
		}
		for _, run := range list.CheckRuns {
			if run.GetExternalID() == externalID {
				return existing(run), nil
			}
		}
		if o.Page = resp.NextPage; o.Page == 0 {
			break
		}
	}
	return ExistingCheckRun{}, fmt.Errorf("%s: %w", action, ErrNotFound)
}

// maxPages is how many pages of 100 are searched: GitHub keeps 1,000 check runs of a name in a suite.
const maxPages = 10

// CreateCheckRun creates a check run.
func (c *Client) CreateCheckRun(ctx context.Context, repo string, run CheckRun) (ExistingCheckRun, error) {
	return c.writeCheckRun(
		ctx, http.MethodPost, repo, "check-runs", fmt.Sprintf("create check run %q in %s", run.Name, repo), run,
	)
}

// UpdateCheckRun changes a check run.
func (c *Client) UpdateCheckRun(ctx context.Context, repo string, id int64, run CheckRun) (ExistingCheckRun, error) {
	run.HeadSHA = ""
	return c.writeCheckRun(
		ctx, http.MethodPatch, repo, fmt.Sprintf("check-runs/%d", id), fmt.Sprintf("update check run %d in %s", id, repo),
		run,
	)
}

// writeCheckRun sends a body of our own, since go-github's has no started_at for an update.
func (c *Client) writeCheckRun(
	ctx context.Context, method, repo, path, action string, run CheckRun,
) (ExistingCheckRun, error) {
	owner, name, err := splitRepo(repo)
	if err != nil {
		return ExistingCheckRun{}, err
	}
	req, err := c.gh.NewRequest(method, fmt.Sprintf("repos/%s/%s/%s", owner, name, path), run)
	if err != nil {
		return ExistingCheckRun{}, fmt.Errorf("%s: %w", action, err)
	}
	var out github.CheckRun
	if _, err := c.gh.Do(ctx, req, &out); err != nil {
		return ExistingCheckRun{}, classify(action, err)
	}
	return existing(&out), nil
}
