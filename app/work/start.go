package work

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs"
)

// start makes the checks and runs of a plan. again makes new runs where there are completed ones; otherwise a commit's
// job is run once, unless that run was cancelled.
func (q *Queue) start(ctx context.Context, tx *store.Tx, c commit, p plan, again bool) (outcome, error) {
	if len(p.checks) == 0 {
		return p.nothing, nil
	}
	started, problems := 0, 0
	for _, planned := range p.checks {
		s, err := q.startOne(ctx, tx, c, planned, again)
		if err != nil {
			return outcome{}, err
		}
		switch {
		case planned.problem != nil:
			problems++
		case s:
			started++
		}
	}
	switch {
	case p.refused != "":
		return refused("%s", p.refused), nil
	case started == 0 && problems == 0:
		return ignored("the commit's jobs are run already"), nil
	case started == 0:
		return refused("%d job files are refused", problems), nil
	}
	return processed("started %d runs, refused %d job files", started, problems), nil
}

// startOne makes a check and its run; started is false when it has one already.
func (q *Queue) startOne(ctx context.Context, tx *store.Tx, c commit, p planned, again bool) (started bool, err error) {
	want := store.Check{
		ID: uuid.NewString(), InstallationID: c.installation, Repo: c.repo, HeadSHA: c.sha, PullNumber: c.pull.Number, Name: p.name, Path: p.path,
	}
	if p.problem != nil {
		want.Problem = p.problem.String()
	}
	check, err := q.Store.WantCheck(ctx, tx, want)
	if err != nil {
		return false, err
	}
	if p.problem == nil {
		if check, started, err = q.startRun(ctx, tx, check, p.spec, again); err != nil {
			return false, err
		}
	}
	if err := q.writeCheck(ctx, tx, check.ID); err != nil {
		return false, fmt.Errorf("start job %q: %w", p.name, err)
	}
	return started, nil
}

// startRun makes the check's run, in a new generation when the old one has had its time.
func (q *Queue) startRun(ctx context.Context, tx *store.Tx, check store.Check, spec store.RunSpec, again bool) (store.Check, bool, error) {
	spec.CheckID, spec.Key = check.ID, check.RunKey(spec.Name)
	run, created, err := q.Store.CreateRun(ctx, tx, spec)
	if err != nil || created {
		return check, created, err
	}
	if run.State != store.RunCompleted || !again && run.Class != jobs.ClassCanceled {
		return check, false, nil
	}
	if check, err = q.Store.RenewCheck(ctx, tx, check.ID); err != nil {
		return check, false, err
	}
	spec.Key = check.RunKey(spec.Name)
	_, created, err = q.Store.CreateRun(ctx, tx, spec)
	return check, created, err
}
