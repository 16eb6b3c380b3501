package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/gantry-ci/gantry/app/queue"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

// States of a run.
const (
	RunQueued    = "queued"    // waits for a target, for its first attempt or its second
	RunRunning   = "running"   // a target is leased to it
	RunCompleted = "completed" // it has its verdict; final
)

// RunSpec describes a run to create.
type RunSpec struct {
	// Key identifies the run: a second request with the same key gets the first one's run. An empty key is never shared.
	Key      string
	CheckID  string // of the check that shows it
	Name     string // of the job in .github/gantry.yml, with its matrix
	Source   lab.Source
	Trust    lab.Trust
	Priority int64

	TargetType string
	Tags       []string
	Job        []byte // the LAVA job definition's source
	Lists      lab.Lists

	MaxAttempts  int           // 1 or 2; 0 is 2
	QueueTimeout time.Duration // for each time it is queued, for the second attempt as well; 0 is for ever
}

// Run is one job wanted on one kind of target for one commit.
type Run struct {
	ID         string
	Key        string
	CheckID    string
	Name       string
	Source     lab.Source
	Trust      lab.Trust
	Priority   int64
	TargetType string
	Tags       []string
	State      string
	Attempts   int64 // begun so far
	Max        int64 // attempts that it may have
	results.Verdict
	CreatedMS, StartedMS, EndedMS int64
}

const runColumns = `id, run_key, check_id, name, repository, ref, commit_sha, pull_number, trust, priority,
	target_type, tags, state, attempts, max_attempts, verdict, class, message, created_ms, started_ms, ended_ms`

func scanRun(r scanner) (v Run, err error) {
	var tags string
	err = r.Scan(&v.ID, &v.Key, &v.CheckID, &v.Name,
		&v.Source.Repository, &v.Source.Ref, &v.Source.Commit, &v.Source.PullRequest,
		&v.Trust, &v.Priority, &v.TargetType, &tags, &v.State, &v.Attempts, &v.Max,
		&v.Verdict.Verdict, &v.Class, &v.Message, &v.CreatedMS, &v.StartedMS, &v.EndedMS)
	if err == nil {
		err = json.Unmarshal([]byte(tags), &v.Tags)
	}
	return v, err
}

// CreateRun queues a run. When one with the same key exists, it is returned instead, and created is false.
func (s *Store) CreateRun(ctx context.Context, tx *Tx, spec RunSpec) (run Run, created bool, err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Run{}, false, fmt.Errorf("create run %q: %w", spec.Name, err)
	}
	if spec.Key == "" {
		spec.Key = id.String()
	}
	if spec.MaxAttempts == 0 {
		spec.MaxAttempts = queue.MaxAttempts
	}
	now := s.clock()
	r, err := tx.ExecContext(ctx, `INSERT INTO runs (id, run_key, check_id, name, repository, ref, commit_sha,
			pull_number, trust, priority, target_type, tags, job, max_attempts, created_ms, queue_until_ms,
			known_failures, kernel_log, test_retries, queue_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
		ON CONFLICT (run_key) DO NOTHING`,
		id.String(), spec.Key, spec.CheckID, spec.Name, spec.Source.Repository, spec.Source.Ref, spec.Source.Commit,
		spec.Source.PullRequest,
		string(spec.Trust), spec.Priority, spec.TargetType, list(spec.Tags), spec.Job,
		min(max(spec.MaxAttempts, 1), queue.MaxAttempts), now.UnixMilli(),
		epochMS(queue.WaitUntil(now, spec.QueueTimeout)),
		spec.Lists.KnownFailures, spec.Lists.KernelLog, spec.Lists.TestRetries, spec.QueueTimeout.Milliseconds())
	if created, err = changed(r, err, "create run %q", spec.Name); err != nil {
		return Run{}, false, err
	}
	run, err = one(tx.QueryRowContext(ctx, `SELECT `+runColumns+` FROM runs WHERE run_key = $1`, spec.Key), scanRun)
	if err != nil {
		return Run{}, false, fmt.Errorf("create run %q: %w", spec.Name, err)
	}
	if created {
		err = errors.Join(s.notify(ctx, tx, Change{Queue: true}), s.runChanged(ctx, tx, run.ID))
	}
	return run, created, err
}

// CancelRun completes a run as canceled, at once. A runner that executes it is told to stop, and what it reports of the
// run no longer counts. It is false when the run was completed already.
func (s *Store) CancelRun(ctx context.Context, tx *Tx, id, reason string) (bool, error) {
	done, err := s.completeRun(ctx, tx, id, results.Verdict{
		Verdict: results.VerdictCanceled, Class: results.ClassCanceled, Message: reason,
	})
	if err != nil || !done {
		return false, err
	}
	if reason == "" {
		reason = "canceled"
	}
	var runner string
	err = tx.QueryRowContext(
		ctx, `UPDATE leases SET cancel = $1 WHERE run_id = $2 AND state = 'held' RETURNING runner_id`, reason, id,
	).Scan(&runner)
	switch {
	case err == nil:
		return true, s.notify(ctx, tx, Change{Runner: runner})
	case !isNoRows(err):
		return false, fmt.Errorf("cancel run %s: %w", id, err)
	}
	return true, nil
}

// completeRun gives a run its verdict, unless it has one.
func (s *Store) completeRun(ctx context.Context, tx *Tx, id string, v results.Verdict) (bool, error) {
	r, err := tx.ExecContext(ctx, `UPDATE runs SET state = 'completed', verdict = $1, class = $2, message = $3,
			ended_ms = $4
		WHERE id = $5 AND state <> 'completed'`, v.Verdict, string(v.Class), lab.Clip(v.Message), s.nowMS(), id)
	if done, err := changed(r, err, "complete run %s", id); err != nil || !done {
		return false, err
	}
	return true, s.runChanged(ctx, tx, id)
}

// Run reads a run.
func (s *Store) Run(ctx context.Context, id string) (Run, error) {
	v, err := one(s.ro.QueryRowContext(ctx, `SELECT `+runColumns+` FROM runs WHERE id = $1`, id), scanRun)
	if err != nil {
		return v, fmt.Errorf("read run %q: %w", id, err)
	}
	return v, nil
}

// RunsOfCheck reads the runs that a check shows, oldest first.
func (s *Store) RunsOfCheck(ctx context.Context, check string) ([]Run, error) {
	vs, err := all(
		ctx, s.ro, scanRun, `SELECT `+runColumns+` FROM runs WHERE check_id = $1 ORDER BY created_ms, id`, check,
	)
	if err != nil {
		return nil, fmt.Errorf("read runs of check %q: %w", check, err)
	}
	return vs, nil
}

// Runs lists the newest runs, newest first.
func (s *Store) Runs(ctx context.Context, limit int) ([]Run, error) {
	vs, err := all(ctx, s.ro, scanRun, `SELECT `+runColumns+` FROM runs ORDER BY created_ms DESC, id DESC LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	return vs, nil
}

// Job reads the job definition of a run.
func (s *Store) Job(ctx context.Context, id string) (job []byte, err error) {
	if err := s.ro.QueryRowContext(ctx, `SELECT job FROM runs WHERE id = $1`, id).Scan(&job); err != nil {
		return nil, fmt.Errorf("read job of run %q: %w", id, notFound(err))
	}
	return job, nil
}

// ForgetRuns deletes up to limit runs that were completed before the time, and returns their ids; the caller then
// removes their blobs. A run whose target is still leased stays.
func (s *Store) ForgetRuns(ctx context.Context, before time.Time, limit int) (ids []string, err error) {
	err = s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		ids, err = all(ctx, tx, scanString, `SELECT id FROM runs WHERE state = 'completed' AND ended_ms < $1
			AND NOT EXISTS (SELECT 1 FROM leases WHERE run_id = runs.id AND state = 'held')
			ORDER BY ended_ms LIMIT $2 `+s.dialect.forUpdate,
			before.UnixMilli(), limit)
		if err != nil {
			return err
		}
		for _, id := range ids {
			for _, q := range []string{
				`DELETE FROM attempts WHERE run_id = $1`, `DELETE FROM leases WHERE run_id = $1`,
				`DELETE FROM runs WHERE id = $1`,
			} {
				if _, err := tx.ExecContext(ctx, q, id); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("forget runs: %w", err)
	}
	return ids, nil
}
