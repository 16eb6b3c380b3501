package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/gantry-ci/gantry/app/queue"
)

// How much of the queue, and of the idle targets of a type, one transaction looks at. Runs that fit nowhere stay at
// the head of the queue, so a look that finds nothing is repeated ten times as wide, up to everything.
const (
	scheduleRuns    = 100
	scheduleTargets = 32
)

// Schedule leases idle targets to waiting runs, in one transaction, and returns how many.
func (s *Store) Schedule(ctx context.Context) (n int, err error) {
	for limit := 1; ; limit *= 10 {
		// Outside of a transaction at first: mostly nothing waits.
		var waiting int64
		if err := s.ro.QueryRowContext(ctx, `SELECT COUNT(*) FROM runs WHERE state = 'queued'`).Scan(&waiting); err != nil {
			return n, fmt.Errorf("schedule: %w", err)
		}
		if waiting == 0 {
			return n, nil
		}
		var leased int
		var all bool
		err := s.Tx(ctx, func(ctx context.Context, tx *Tx) (err error) {
			leased, all, err = s.schedule(ctx, tx, limit)
			return err
		})
		if err != nil {
			return n, fmt.Errorf("schedule: %w", err)
		}
		if n += leased; all {
			return n, nil
		}
	}
}

// idle is an idle target with its runner, which a lease names.
type idle struct {
	queue.Target
	runner, runnerName, name string
}

// schedule matches the head of the queue; seen says that there is no more to be had.
func (s *Store) schedule(ctx context.Context, tx *Tx, limit int) (n int, seen bool, err error) {
	runs, err := all(ctx, tx, scanQueued, `SELECT id, target_type, tags, trust, repository, priority, created_ms, avoid_target FROM runs
		WHERE state = 'queued' ORDER BY priority DESC, created_ms, id LIMIT $1 `+s.dialect.forUpdate, scheduleRuns*limit)
	if err != nil {
		return 0, false, err
	}
	seen = len(runs) < scheduleRuns*limit
	var targets []queue.Target
	byID, types := map[string]idle{}, map[string]bool{}
	for _, r := range runs {
		if types[r.Type] {
			continue
		}
		types[r.Type] = true
		free, err := s.idleTargets(ctx, tx, r.Type, scheduleTargets*limit)
		if err != nil {
			return 0, false, err
		}
		seen = seen && len(free) < scheduleTargets*limit
		for _, t := range free {
			targets, byID[t.ID] = append(targets, t.Target), t
		}
	}
	matches := queue.Assign(runs, targets)
	for _, m := range matches {
		if err := s.lease(ctx, tx, m.Run, byID[m.Target]); err != nil {
			return 0, false, err
		}
	}
	return len(matches), seen || len(matches) == len(runs) && len(runs) < scheduleRuns*limit, nil
}

func (s *Store) idleTargets(ctx context.Context, tx *Tx, kind string, limit int) ([]idle, error) {
	lock := s.dialect.forUpdate
	if lock != "" {
		lock += " OF t"
	}
	return all(ctx, tx, scanIdle, `SELECT t.id, t.type, t.tags, t.trust, t.used_ms, t.name, r.id, r.name, r.repositories
		FROM targets t JOIN runners r ON r.id = t.runner_id
		WHERE t.type = $1 AND t.lease_id = '' AND t.health = 'good' AND t.announced = 1 AND r.alive_ms > $2
		ORDER BY t.tag_count, t.used_ms, t.id LIMIT $3 `+lock, kind, s.nowMS(), limit)
}

func scanQueued(r scanner) (v queue.Run, err error) {
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
	id, now, attempt := uuid.NewString(), s.nowMS(), 0
	err := tx.QueryRowContext(ctx, `UPDATE runs SET state = 'running', attempts = attempts + 1, started_ms = CASE started_ms WHEN 0 THEN $1 ELSE started_ms END
		WHERE id = $2 AND state = 'queued' RETURNING attempts`, now, run).Scan(&attempt)
	if err != nil {
		return fmt.Errorf("lease %q: %w", t.name, err)
	}
	for _, q := range []struct {
		sql  string
		args []any
	}{
		{`UPDATE targets SET lease_id = $1 WHERE id = $2`, []any{id, t.ID}},
		{
			`INSERT INTO leases (id, target_id, runner_id, run_id, attempt, until_ms, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			[]any{id, t.ID, t.runner, run, attempt, s.leaseUntil(), now},
		},
		{
			`INSERT INTO attempts (run_id, number, lease_id, runner, target, started_ms) VALUES ($1, $2, $3, $4, $5, $6)`,
			[]any{run, attempt, id, t.runnerName, t.name, now},
		},
	} {
		if _, err := tx.ExecContext(ctx, q.sql, q.args...); err != nil {
			return fmt.Errorf("lease %q: %w", t.name, err)
		}
	}
	s.tell(tx, Change{Runner: t.runner})
	return s.runChanged(ctx, tx, run)
}
