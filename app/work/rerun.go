package work

import (
	"context"
	"errors"
	"strings"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/app/trigger"
)

// rerun runs a check of ours again, or all of a commit's.
func (q *Queue) rerun(ctx context.Context, c commit, want trigger.Rerun) (outcome, error) {
	ours, err := q.Store.ChecksOf(ctx, c.installation, c.repo, want.HeadSHA)
	if err != nil {
		return outcome{}, err
	}
	only := ""
	if want.ExternalID != "" {
		id, _, _ := strings.Cut(want.ExternalID, ".")
		check, err := q.Store.Check(ctx, id)
		if errors.Is(err, store.ErrNotFound) ||
			err == nil && (check.InstallationID != c.installation || check.Repo != c.repo || check.HeadSHA != want.HeadSHA) {
			return refused("check run %q is not ours", want.Name), nil
		}
		if err != nil {
			return outcome{}, err
		}
		ours, only = []store.Check{check}, check.Name
	}
	if len(ours) == 0 {
		return ignored("the commit has no check of ours"), nil
	}
	if only == configCheck {
		only = "" // the files are read again; with them, every job
	}
	c.sha = want.HeadSHA
	if c.pull, err = q.GitHub.Installation(c.installation).Pull(ctx, c.repo, ours[0].PullNumber); err != nil {
		return outcome{}, err
	}
	p, err := q.plan(ctx, c, "", only)
	if err != nil {
		return outcome{}, err
	}
	return outcome{apply: func(ctx context.Context, tx *store.Tx) (outcome, error) {
		return q.start(ctx, tx, c, p, true)
	}}, nil
}
