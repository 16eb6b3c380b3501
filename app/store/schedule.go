package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/gantry-ci/gantry/app/queue"
)

// How many of a type's waiting runs, and of its idle targets, the first transaction reads. Runs that fit no target stay
// at the head of the queue, so a transaction that leaves something unmatched is followed by one that reads ten times as
// much, up to everything.
const (
	scheduleRuns    = 100
	scheduleTargets = 32
)

// idleTarget is the condition for a target t of a runner r to be leased; $1 is the time.
const idleTarget = `t.lease_id = '' AND t.health = 'good' AND t.announced = 1 AND r.alive_ms > $1`

// Schedule leases idle targets to waiting runs, as queue.Assign matches them, and returns how many. Each type of target
// has a transaction of its own.
func (s *Store) Schedule(ctx context.Context) (n int, err error) {
	// Outside of a transaction: mostly nothing waits, or nothing is idle.
	types, err := all(ctx, s.ro, scanString, `SELECT type
		FROM (SELECT DISTINCT target_type AS type FROM runs WHERE state = 'queued') q
		WHERE EXISTS (SELECT 1 FROM targets t JOIN runners r ON r.id = t.runner_id
			WHERE t.type = q.type AND `+idleTarget+`)`, s.nowMS())
	if err != nil {
		return 0, fmt.Errorf("schedule: %w", err)
	}
	for _, kind := range types {
		for limit, more := 1, true; more; limit *= 10 {
			leased := 0
			err := s.Tx(ctx, func(ctx context.Context, tx *Tx) (err error) {
				leased, more, err = s.schedule(ctx, tx, kind, limit)
				return err
			})
			if err != nil {
				return n, fmt.Errorf("schedule runs for targets of type %q: %w", kind, err)
			}
			n += leased
		}
	}
	return n, nil
}

// idle is an idle target with what its lease and attempt record: runner's id and name, target's name.
type idle struct {
	queue.Target
	runner, runnerName, name string
}

// schedule matches the head of a type's queue. more is true when reading more rows may give more matches.
func (s *Store) schedule(ctx context.Context, tx *Tx, kind string, limit int) (n int, more bool, err error) {
	runs, err := s.waitingRuns(ctx, tx, kind, scheduleRuns*limit)
	if err != nil {
		return 0, false, err
	}
	free, err := s.idleTargets(ctx, tx, kind, scheduleTargets*limit)
	if err != nil {
		return 0, false, err
	}
	targets, byID := make([]queue.Target, len(free)), make(map[string]idle, len(free))
	for i, t := range free {
		targets[i], byID[t.ID] = t.Target, t
	}
	matches := queue.Assign(runs, targets)
	for _, m := range matches {
		if err := s.lease(ctx, tx, m.Run, byID[m.Target]); err != nil {
			return 0, false, err
		}
	}
	// Both a run and a target may be left: one that was read and not matched, or one that was not read.
	n = len(matches)
	moreRuns, moreTargets := len(runs) == scheduleRuns*limit, len(free) == scheduleTargets*limit
	return n, (moreRuns || n < len(runs)) && (moreTargets || n < len(free)) && (moreRuns || moreTargets), nil
}

func (s *Store) waitingRuns(ctx context.Context, tx *Tx, kind string, limit int) ([]queue.Run, error) {
	return all(ctx, tx, scanWaiting, `SELECT id, target_type, tags, trust, repository, priority, created_ms, avoid_target
		FROM runs WHERE state = 'queued' AND target_type = $1
		ORDER BY priority DESC, created_ms, id LIMIT $2 `+s.dialect.forUpdate, kind, limit)
}

func (s *Store) idleTargets(ctx context.Context, tx *Tx, kind string, limit int) ([]idle, error) {
	lock := s.dialect.forUpdate
	if lock != "" {
		lock += " OF t"
	}
	return all(ctx, tx, scanIdle, `SELECT t.id, t.type, t.tags, t.trust, t.used_ms, t.name, r.id, r.name, r.repositories
		FROM targets t JOIN runners r ON r.id = t.runner_id
		WHERE t.type = $2 AND `+idleTarget+` ORDER BY t.tag_count, t.used_ms, t.id LIMIT $3 `+lock, s.nowMS(), kind, limit)
}

func scanWaiting(r scanner) (v queue.Run, err error) {
	var tags string
	err = r.Scan(&v.ID, &v.Type, &tags, &v.Trust, &v.Repository, &v.Priority, &v.Created, &v.Avoid)
	return v, errors.Join(err, json.Unmarshal([]byte(tags), &v.Tags))
}

func scanIdle(r scanner) (v idle, err error) {
	var tags, repos string
	err = r.Scan(&v.ID, &v.Type, &tags, &v.Trust, &v.Used, &v.name, &v.runner, &v.runnerName, &repos)
	return v, errors.Join(err, json.Unmarshal([]byte(tags), &v.Tags), json.Unmarshal([]byte(repos), &v.Repositories))
}

// lease begins an attempt at the run on the target.
func (s *Store) lease(ctx context.Context, tx *Tx, run string, t idle) error {
	id, now, attempt := uuid.NewString(), s.clock(), 0
	nowMS := now.UnixMilli()
	err := tx.QueryRowContext(ctx, `UPDATE runs SET state = 'running', attempts = attempts + 1,
			started_ms = CASE started_ms WHEN 0 THEN $1 ELSE started_ms END
		WHERE id = $2 AND state = 'queued' RETURNING attempts`, nowMS, run).Scan(&attempt)
	if err != nil {
		return fmt.Errorf("lease %q: %w", t.name, err)
	}
	for _, q := range []struct {
		sql  string
		args []any
	}{
		{`UPDATE targets SET lease_id = $1 WHERE id = $2`, []any{id, t.ID}},
		{
			`INSERT INTO leases (id, target_id, runner_id, run_id, attempt, until_ms, created_ms)
				VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			[]any{id, t.ID, t.runner, run, attempt, queue.LeaseUntil(now).UnixMilli(), nowMS},
		},
		{
			`INSERT INTO attempts (run_id, number, lease_id, runner, target, started_ms) VALUES ($1, $2, $3, $4, $5, $6)`,
			[]any{run, attempt, id, t.runnerName, t.name, nowMS},
		},
	} {
		if _, err := tx.ExecContext(ctx, q.sql, q.args...); err != nil {
			return fmt.Errorf("lease %q: %w", t.name, err)
		}
	}
	if err := s.notify(ctx, tx, Change{Runner: t.runner}); err != nil {
		return err
	}
	return s.runChanged(ctx, tx, run)
}

// QueuePlace is the place of a waiting run among those that wait for targets of its type, from 1; 0 when it does not
// wait.
func (s *Store) QueuePlace(ctx context.Context, id string) (place int64, err error) {
	err = s.ro.QueryRowContext(ctx, `SELECT COUNT(*)
		FROM runs r JOIN runs o ON o.state = 'queued' AND o.target_type = r.target_type
			AND (o.priority > r.priority OR o.priority = r.priority
				AND (o.created_ms < r.created_ms OR o.created_ms = r.created_ms AND o.id <= r.id))
		WHERE r.id = $1 AND r.state = 'queued'`, id).Scan(&place)
	if err != nil {
		return 0, fmt.Errorf("find place of run %q: %w", id, err)
	}
	return place, nil
}

// ExpireQueue ends the runs that have waited for too long, with the verdict queue.Expired, and returns how many.
func (s *Store) ExpireQueue(ctx context.Context) (n int, err error) {
	const due = `SELECT id FROM runs WHERE state = 'queued' AND queue_until_ms > 0 AND queue_until_ms < $1`
	ids, err := all(ctx, s.ro, scanString, due, s.nowMS())
	if err != nil {
		return 0, fmt.Errorf("expire queue: %w", err)
	}
	for _, id := range ids {
		err := s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
			if err := tx.QueryRowContext(ctx, due+` AND id = $2 `+s.dialect.forUpdate, s.nowMS(), id).Scan(&id); err != nil {
				return notFound(err) // a target has become free
			}
			n++
			_, err := s.completeRun(ctx, tx, id, queue.Expired())
			return err
		})
		if err != nil && !errors.Is(err, ErrNotFound) {
			return n, fmt.Errorf("expire queue: %w", err)
		}
	}
	return n, nil
}
