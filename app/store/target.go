package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/gantry-ci/gantry/jobs/lab"
)

// Target is a board or guest of a runner.
type Target struct {
	ID     string
	Runner string // its name
	lab.Target
	LeaseID   string // of the lease that holds it; "" when it is idle
	Announced bool   // its runner still announces it
	Connected bool   // its runner is connected
}

// Targets lists all targets, by runner and name.
func (s *Store) Targets(ctx context.Context) ([]Target, error) {
	now := s.nowMS()
	vs, err := all(ctx, s.ro, func(r scanner) (v Target, err error) {
		var tags string
		var announced, alive int64
		err = r.Scan(&v.ID, &v.Runner, &v.Name, &v.Type, &tags, &v.Trust, &v.Health, &v.LeaseID, &announced, &alive)
		v.Announced, v.Connected = announced != 0, alive > now
		return v, errors.Join(err, json.Unmarshal([]byte(tags), &v.Tags))
	}, `SELECT t.id, r.name, t.name, t.type, t.tags, t.trust, t.health, t.lease_id, t.announced, r.alive_ms
		FROM targets t JOIN runners r ON r.id = t.runner_id ORDER BY r.name, t.name`)
	if err != nil {
		return nil, fmt.Errorf("list targets: %w", err)
	}
	return vs, nil
}

// PutTargets records the targets that a runner announces. Those that it no longer names get no runs.
func (s *Store) PutTargets(ctx context.Context, runner string, targets []lab.Target) error {
	err := s.Tx(ctx, func(ctx context.Context, tx *Tx) error { return s.putTargets(ctx, tx, runner, targets) })
	if err != nil {
		return fmt.Errorf("announce targets of runner %s: %w", runner, err)
	}
	return nil
}

func (s *Store) putTargets(ctx context.Context, tx *Tx, runner string, targets []lab.Target) error {
	if _, err := tx.ExecContext(ctx, `UPDATE targets SET announced = 0 WHERE runner_id = $1`, runner); err != nil {
		return err
	}
	for _, t := range targets {
		if t.Health == "" {
			t.Health = lab.Good
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO targets (id, runner_id, name, type, tags, tag_count, trust, health)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (runner_id, name) DO UPDATE SET type = excluded.type, tags = excluded.tags,
				tag_count = excluded.tag_count, trust = excluded.trust, health = excluded.health, announced = 1`,
			uuid.NewString(), runner, t.Name, t.Type, list(t.Tags), len(t.Tags), string(t.Trust), string(t.Health))
		if err != nil {
			return fmt.Errorf("target %q: %w", t.Name, err)
		}
	}
	return s.notify(ctx, tx, Change{Queue: true, Runner: runner})
}
