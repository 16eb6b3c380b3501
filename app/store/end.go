package store

import (
	"context"
	"fmt"
	"time"

	"github.com/gantry-ci/gantry/app/queue"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

// End is how an attempt ends.
type End struct {
	Silent  bool // the lease ran out; has no effect if it was renewed meanwhile
	Bad     bool // the target cannot be used until its runner announces it as good again
	Verdict results.Verdict
	Results []byte // JSON of results.Results, as far as they arrived
}

// ending is an attempt whose lease ends, with what queue.After needs.
type ending struct {
	run, target string
	queue.Ended
	wait time.Duration // how long the run may wait each time it is queued
}

// EndLease ends a lease and its attempt. What becomes of the run is queue.After's decision; a canceled run stays
// canceled. Ending a lease again that its runner has released does no harm; one that the runner has lost is
// ErrLeaseLost.
func (s *Store) EndLease(ctx context.Context, runner, id string, e End) error {
	err := s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		a, err := s.releaseLease(ctx, tx, runner, id, e.Silent)
		if isNoRows(err) {
			return s.wasReleased(ctx, tx, runner, id)
		}
		if err != nil {
			return err
		}
		if err := s.freeTarget(ctx, tx, a.target, id, e.Bad); err != nil {
			return err
		}
		if err := s.notify(ctx, tx, Change{Queue: true, Runner: runner}); err != nil {
			return err
		}
		a.Class = e.Verdict.Class
		return s.endAttempt(ctx, tx, a, e)
	})
	if err != nil {
		return fmt.Errorf("end lease %.40q: %w", id, err)
	}
	return nil
}

// releaseLease takes the lease from the runner, if it holds it; if not, the error is that of no row.
func (s *Store) releaseLease(ctx context.Context, tx *Tx, runner, id string, silent bool) (a ending, err error) {
	state, latest := "released", int64(1)<<62
	if silent {
		state, latest = "lost", s.nowMS()
	}
	var accepted int64
	err = tx.QueryRowContext(ctx, `UPDATE leases SET state = $1, ended_ms = $2
		WHERE id = $3 AND runner_id = $4 AND state = 'held' AND until_ms < $5
		RETURNING run_id, attempt, target_id, accepted`,
		state, s.nowMS(), id, runner, latest).Scan(&a.run, &a.Number, &a.target, &accepted)
	if err != nil {
		return a, err
	}
	a.Silent, a.Accepted = silent, accepted != 0
	var waitMS int64
	err = tx.QueryRowContext(ctx, `SELECT max_attempts, queue_ms FROM runs WHERE id = $1`, a.run).Scan(&a.Max, &waitMS)
	if err != nil {
		return a, fmt.Errorf("read run %s: %w", a.run, err)
	}
	a.wait = time.Duration(waitMS) * time.Millisecond
	return a, nil
}

// wasReleased is nil when the runner has ended the lease before.
func (s *Store) wasReleased(ctx context.Context, tx *Tx, runner, id string) error {
	var n int64
	err := tx.QueryRowContext(
		ctx, `SELECT COUNT(*) FROM leases WHERE id = $1 AND runner_id = $2 AND state = 'released'`, id, runner,
	).Scan(&n)
	if err == nil && n == 0 {
		err = ErrLeaseLost
	}
	return err
}

func (s *Store) freeTarget(ctx context.Context, tx *Tx, target, lease string, bad bool) error {
	_, err := tx.ExecContext(
		ctx, `UPDATE targets SET lease_id = '', used_ms = $1 WHERE id = $2 AND lease_id = $3`, s.nowMS(), target, lease,
	)
	if err == nil && bad {
		_, err = tx.ExecContext(ctx, `UPDATE targets SET health = 'bad' WHERE id = $1`, target)
	}
	return err
}

func (s *Store) endAttempt(ctx context.Context, tx *Tx, a ending, e End) error {
	next := queue.After(a.Ended)
	if next == queue.Requeue {
		return s.withdrawAttempt(ctx, tx, a)
	}
	complete := int64(0)
	if e.Verdict.Complete {
		complete = 1
	}
	_, err := tx.ExecContext(ctx, `UPDATE attempts SET state = 'ended', verdict = $1, class = $2, message = $3,
			complete = $4, results = $5, ended_ms = $6
		WHERE run_id = $7 AND number = $8`,
		e.Verdict.Verdict, string(e.Verdict.Class), lab.Clip(e.Verdict.Message), complete, string(e.Results), s.nowMS(),
		a.run, a.Number)
	if err != nil {
		return err
	}
	if next == queue.Retry {
		r, err := tx.ExecContext(ctx, `UPDATE runs SET state = 'queued', queue_until_ms = $1, avoid_target = $2,
				class = $3, message = $4
			WHERE id = $5 AND state = 'running'`,
			epochMS(queue.WaitUntil(s.clock(), a.wait)), a.target, string(e.Verdict.Class), lab.Clip(e.Verdict.Message), a.run)
		if ok, err := changed(r, err, "queue run %s again", a.run); err != nil || !ok {
			return err // a run that was canceled has its verdict
		}
		return s.runChanged(ctx, tx, a.run)
	}
	_, err = s.completeRun(ctx, tx, a.run, e.Verdict)
	return err
}

// withdrawAttempt removes an attempt that never reached its runner, and queues the run again.
func (s *Store) withdrawAttempt(ctx context.Context, tx *Tx, a ending) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM attempts WHERE run_id = $1 AND number = $2`, a.run, a.Number)
	if err != nil {
		return err
	}
	r, err := tx.ExecContext(ctx, `UPDATE runs SET state = 'queued', attempts = attempts - 1, queue_until_ms = $1
		WHERE id = $2 AND state = 'running'`, epochMS(queue.WaitUntil(s.clock(), a.wait)), a.run)
	if ok, err := changed(r, err, "queue run %s again", a.run); err != nil || !ok {
		return err
	}
	return s.runChanged(ctx, tx, a.run)
}
