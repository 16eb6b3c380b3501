package work

import (
	"context"
	"errors"
	"fmt"

	"github.com/gantry-ci/gantry/app/ghapi"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/app/trigger"
)

// commit is the commit that runs test.
type commit struct {
	installation int64
	repo         string
	sha          string
	pull         ghapi.Pull
}

// pullRequest brings a pull request up to date. It goes by what GitHub says now: events arrive late, twice and out of
// order.
func (w *Workers) pullRequest(ctx context.Context, c commit, want trigger.Pull) (outcome, error) {
	seen := store.Pull{InstallationID: c.installation, Repo: c.repo, Number: want.Number, SeenMS: w.Now().UnixMilli()}
	p, err := w.GitHub.Installation(c.installation).Pull(ctx, c.repo, want.Number)
	if err != nil && (!want.Closed || !errors.Is(err, ghapi.ErrNotFound)) {
		return outcome{}, err
	}
	c.pull, c.sha = p, p.HeadSHA
	seen.HeadSHA, seen.Open = p.HeadSHA, p.Open && err == nil
	var in intents
	switch {
	case !seen.Open:
		in.none = ignored("the pull request is closed")
	case p.HeadSHA != want.HeadSHA:
		in.none = ignored("superseded: the pull request's head is %.12s now", p.HeadSHA)
	default:
		if in, err = w.intents(ctx, c, want.Action, ""); err != nil {
			return outcome{}, err
		}
	}
	return outcome{apply: func(ctx context.Context, tx *store.Tx) (outcome, error) {
		return w.update(ctx, tx, c, seen, in)
	}}, nil
}

// update cancels runs that are out of date and carries out the intents, unless the pull request has been read since and
// has another state.
func (w *Workers) update(ctx context.Context, tx *store.Tx, c commit, seen store.Pull, in intents) (outcome, error) {
	newest, err := w.Store.RecordPull(ctx, tx, seen)
	if err != nil {
		return outcome{}, err
	}
	canceled, err := w.cancelStale(ctx, tx, newest)
	if err != nil {
		return outcome{}, err
	}
	var out outcome
	switch {
	case newest.Open && newest.HeadSHA == c.sha:
		if out, err = w.start(ctx, tx, c, in, false); err != nil {
			return outcome{}, err
		}
	case newest.Open:
		out = ignored("superseded: the pull request's head is %.12s now", newest.HeadSHA)
	default:
		out = ignored("the pull request is closed")
	}
	if canceled > 0 {
		out = processed("%s; canceled %d runs", out.reason, canceled)
	}
	return out, nil
}

// cancelStale cancels the runs of commits that are no longer the pull request's head; of a closed one, all of them. A
// job is run once for a commit, for all the pull requests whose head it is: a run that another one still wants is
// handed over to it.
func (w *Workers) cancelStale(ctx context.Context, tx *store.Tx, p store.Pull) (n int, err error) {
	active, err := w.Store.ActiveRunsOfPull(ctx, tx, p.Repo, p.Number)
	if err != nil {
		return 0, err
	}
	for _, r := range active {
		why := "the pull request was closed"
		if p.Open {
			if r.Commit == p.HeadSHA {
				continue
			}
			why = fmt.Sprintf("superseded by %.12s", p.HeadSHA)
		}
		kept, err := w.Store.HandOverRun(ctx, tx, r, p)
		if err != nil {
			return n, err
		}
		if kept {
			continue
		}
		done, err := w.Store.CancelRun(ctx, tx, r.ID, why)
		if err != nil {
			return n, err
		}
		if done {
			n++
		}
	}
	return n, nil
}
