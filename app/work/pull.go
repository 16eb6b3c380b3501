package work

import (
	"context"
	"errors"
	"fmt"

	"github.com/gantry-ci/gantry/app/ghapi"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/app/trigger"
)

// commit is what runs test.
type commit struct {
	installation int64
	repo         string
	sha          string
	pull         ghapi.Pull
}

// pull brings a pull request up to date. It goes by what GitHub says now: events come late, twice and out of order.
func (q *Queue) pull(ctx context.Context, c commit, want trigger.Pull) (outcome, error) {
	seen := store.Pull{InstallationID: c.installation, Repo: c.repo, Number: want.Number, SeenMS: q.Now().UnixMilli()}
	p, err := q.GitHub.Installation(c.installation).Pull(ctx, c.repo, want.Number)
	if err != nil && (!want.Closed || !errors.Is(err, ghapi.ErrNotFound)) {
		return outcome{}, err
	}
	c.pull, c.sha = p, p.HeadSHA
	seen.HeadSHA, seen.Open = p.HeadSHA, p.Open && err == nil
	var plan plan
	switch {
	case !seen.Open:
		plan.nothing = ignored("the pull request is closed")
	case p.HeadSHA != want.HeadSHA:
		plan.nothing = ignored("superseded: the pull request's head is %.12s now", p.HeadSHA)
	default:
		if plan, err = q.plan(ctx, c, want.Action, ""); err != nil {
			return outcome{}, err
		}
	}
	return outcome{apply: func(ctx context.Context, tx *store.Tx) (outcome, error) {
		return q.bringUp(ctx, tx, c, seen, plan)
	}}, nil
}

// bringUp cancels what is out of date and starts the plan, unless a fresher look at the pull request says otherwise.
func (q *Queue) bringUp(ctx context.Context, tx *store.Tx, c commit, seen store.Pull, p plan) (outcome, error) {
	fresh, err := q.Store.SeePull(ctx, tx, seen)
	if err != nil {
		return outcome{}, err
	}
	canceled, err := q.cancelStale(ctx, tx, fresh)
	if err != nil {
		return outcome{}, err
	}
	var out outcome
	switch {
	case fresh.Open && fresh.HeadSHA == c.sha:
		if out, err = q.start(ctx, tx, c, p, false); err != nil {
			return outcome{}, err
		}
	case fresh.Open:
		out = ignored("superseded: the pull request's head is %.12s now", fresh.HeadSHA)
	default:
		out = ignored("the pull request is closed")
	}
	if canceled > 0 {
		out = processed("%s; canceled %d runs", out.reason, canceled)
	}
	return out, nil
}

// cancelStale cancels the runs of heads that are not the pull request's any more; of a closed one, all. A commit's job
// is run once, for all the pull requests whose head it is: what another one still wants becomes a run of that one.
func (q *Queue) cancelStale(ctx context.Context, tx *store.Tx, p store.Pull) (n int, err error) {
	active, err := q.Store.ActiveRunsOfPull(ctx, tx, p.Repo, p.Number)
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
		kept, err := q.Store.HandOverRun(ctx, tx, r, p)
		if err != nil {
			return n, err
		}
		if kept {
			continue
		}
		done, err := q.Store.CancelRun(ctx, tx, r.ID, why)
		if err != nil {
			return n, err
		}
		if done {
			n++
		}
	}
	return n, nil
}
