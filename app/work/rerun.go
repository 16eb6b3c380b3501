package work

import (
	"context"
	"errors"
	"strings"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/app/trigger"
)

// rerun runs the jobs of one of our checks again, or of all on a commit.
func (w *Workers) rerun(ctx context.Context, c commit, want trigger.Rerun) (outcome, error) {
	ours, err := w.Store.ChecksOf(ctx, c.installation, c.repo, want.HeadSHA)
	if err != nil {
		return outcome{}, err
	}
	only := ""
	if want.ExternalID != "" {
		id, _, _ := strings.Cut(want.ExternalID, ".")
		check, err := w.Store.Check(ctx, id)
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
		only = "" // the files are read again, and every job with them
	}
	c.sha = want.HeadSHA
	if c.pull, err = w.GitHub.Installation(c.installation).Pull(ctx, c.repo, ours[0].PullNumber); err != nil {
		return outcome{}, err
	}
	in, err := w.intents(ctx, c, "", only)
	if err != nil {
		return outcome{}, err
	}
	return outcome{apply: func(ctx context.Context, tx *store.Tx) (outcome, error) {
		return w.start(ctx, tx, c, in, true)
	}}, nil
}
