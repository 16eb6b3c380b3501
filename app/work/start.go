package work

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/results"
)

// start creates the checks and runs of the intents. A job is run once for a commit, unless that run was canceled, or
// again is true.
func (w *Workers) start(ctx context.Context, tx *store.Tx, c commit, in intents, again bool) (outcome, error) {
	if len(in.checks) == 0 {
		return in.none, nil
	}
	started, problems := 0, 0
	for _, i := range in.checks {
		s, err := w.startCheck(ctx, tx, c, i, again)
		if err != nil {
			return outcome{}, err
		}
		started += s
		if i.problem != nil {
			problems++
		}
	}
	switch {
	case in.refused != "":
		return refused("%s", in.refused), nil
	case started == 0 && problems == 0:
		return ignored("the commit's jobs are run already"), nil
	case started == 0:
		return refused("%d jobs are refused", problems), nil
	}
	return processed("started %d runs, refused %d jobs", started, problems), nil
}

// startCheck creates a check, and those of its runs that it does not have yet.
func (w *Workers) startCheck(
	ctx context.Context, tx *store.Tx, c commit, i intent, again bool,
) (started int, err error) {
	want := store.Check{
		ID: uuid.NewString(), InstallationID: c.installation, Repo: c.repo, HeadSHA: c.sha, PullNumber: c.pull.Number,
		Name: i.name, Path: i.path, Line: int64(i.line),
	}
	if i.problem != nil {
		want.Problem = i.problem.String()
	}
	if err := w.renewRefused(ctx, tx, want, again); err != nil {
		return 0, err
	}
	check, err := w.Store.PutCheck(ctx, tx, want)
	if err != nil {
		return 0, err
	}
	if i.problem == nil {
		if started, err = w.startRuns(ctx, tx, check, i.specs, again); err != nil {
			return 0, err
		}
	}
	if err := w.writeCheck(ctx, tx, check.ID); err != nil {
		return 0, fmt.Errorf("start job %q: %w", i.name, err)
	}
	return started, nil
}

// renewRefused begins a new generation of a check that was refused: when its job is no longer refused, and when
// somebody asked for a re-run, since GitHub then waits for a new check run.
func (w *Workers) renewRefused(ctx context.Context, tx *store.Tx, want store.Check, again bool) error {
	before, err := w.Store.CheckNamed(ctx, tx, want.InstallationID, want.Repo, want.HeadSHA, want.Name)
	if errors.Is(err, store.ErrNotFound) || err == nil && (before.Problem == "" || want.Problem != "" && !again) {
		return nil
	}
	if err == nil {
		_, err = w.Store.RenewCheck(ctx, tx, before.ID)
	}
	return err
}

// startRuns creates the check's runs. If they exist and are completed, new ones may begin a new generation.
func (w *Workers) startRuns(
	ctx context.Context, tx *store.Tx, check store.Check, specs []store.RunSpec, again bool,
) (started int, err error) {
	existing, err := w.createRuns(ctx, tx, check, specs)
	if err != nil {
		return 0, err
	}
	renew := len(existing) == len(specs)
	canceled := false
	for _, r := range existing {
		renew = renew && r.State == store.RunCompleted
		canceled = canceled || r.Class == results.ClassCanceled
	}
	if !renew || !again && !canceled {
		return len(specs) - len(existing), nil
	}
	if check, err = w.Store.RenewCheck(ctx, tx, check.ID); err != nil {
		return 0, err
	}
	_, err = w.createRuns(ctx, tx, check, specs)
	return len(specs), err
}

// createRuns creates the runs of a check's generation, and returns those that exist already.
func (w *Workers) createRuns(
	ctx context.Context, tx *store.Tx, check store.Check, specs []store.RunSpec,
) (existing []store.Run, err error) {
	for _, spec := range specs {
		spec.CheckID, spec.Key = check.ID, check.RunKey(spec.Name)
		run, created, err := w.Store.CreateRun(ctx, tx, spec)
		if err != nil {
			return nil, err
		}
		if !created {
			existing = append(existing, run)
		}
	}
	return existing, nil
}
