package work

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/results"
)

// start makes the checks and runs of a plan. again makes new runs where there are completed ones; otherwise a commit's
// job is run once, unless that run was canceled.
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
		started += s
		if planned.problem != nil {
			problems++
		}
	}
	switch {
	case p.refused != "":
		return refused("%s", p.refused), nil
	case started == 0 && problems == 0:
		return ignored("the commit's jobs are run already"), nil
	case started == 0:
		return refused("%d jobs are refused", problems), nil
	}
	return processed("started %d runs, refused %d jobs", started, problems), nil
}

// startOne makes a check and those of its runs that it has not yet.
func (q *Queue) startOne(ctx context.Context, tx *store.Tx, c commit, p planned, again bool) (started int, err error) {
	want := store.Check{
		ID: uuid.NewString(), InstallationID: c.installation, Repo: c.repo, HeadSHA: c.sha, PullNumber: c.pull.Number,
		Name: p.name,
		Path: p.path, Line: int64(p.line),
	}
	if p.problem != nil {
		want.Problem = p.problem.String()
	}
	if err := q.renewRefused(ctx, tx, want, again); err != nil {
		return 0, err
	}
	check, err := q.Store.WantCheck(ctx, tx, want)
	if err != nil {
		return 0, err
	}
	if p.problem == nil {
		if started, err = q.startRuns(ctx, tx, check, p.specs, again); err != nil {
			return 0, err
		}
	}
	if err := q.writeCheck(ctx, tx, check.ID); err != nil {
		return 0, fmt.Errorf("start job %q: %w", p.name, err)
	}
	return started, nil
}

// renewRefused begins a new generation of a check that was refused: when it is no more, and when somebody asked again,
// since GitHub waits for a new check run then.
func (q *Queue) renewRefused(ctx context.Context, tx *store.Tx, want store.Check, again bool) error {
	before, err := q.Store.CheckNamed(ctx, tx, want.InstallationID, want.Repo, want.HeadSHA, want.Name)
	if errors.Is(err, store.ErrNotFound) || err == nil && (before.Problem == "" || want.Problem != "" && !again) {
		return nil
	}
	if err == nil {
		_, err = q.Store.RenewCheck(ctx, tx, before.ID)
	}
	return err
}

// startRuns makes the check's runs, in a new generation when the old one has had its time.
func (q *Queue) startRuns(
	ctx context.Context, tx *store.Tx, check store.Check, specs []store.RunSpec, again bool,
) (started int, err error) {
	had, err := q.createRuns(ctx, tx, check, specs)
	if err != nil {
		return 0, err
	}
	renew := len(had) == len(specs)
	canceled := false
	for _, r := range had {
		renew = renew && r.State == store.RunCompleted
		canceled = canceled || r.Class == results.ClassCanceled
	}
	if !renew || !again && !canceled {
		return len(specs) - len(had), nil
	}
	if check, err = q.Store.RenewCheck(ctx, tx, check.ID); err != nil {
		return 0, err
	}
	_, err = q.createRuns(ctx, tx, check, specs)
	return len(specs), err
}

// createRuns makes the runs of a check's generation, and returns those that were there already.
func (q *Queue) createRuns(
	ctx context.Context, tx *store.Tx, check store.Check, specs []store.RunSpec,
) (had []store.Run, err error) {
	for _, spec := range specs {
		spec.CheckID, spec.Key = check.ID, check.RunKey(spec.Name)
		run, created, err := q.Store.CreateRun(ctx, tx, spec)
		if err != nil {
			return nil, err
		}
		if !created {
			had = append(had, run)
		}
	}
	return had, nil
}
