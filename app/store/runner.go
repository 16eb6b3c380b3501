package store

import (
	"context"
	"fmt"

	"github.com/gantry-ci/gantry/app/queue"
	"github.com/gantry-ci/gantry/jobs/lab"
)

// Runner is the agent on a lab machine.
type Runner struct {
	ID         string
	Name       string
	SecretHash string // SHA-256, lower-case hex
	Version    string // of gantry
	Session    string // of its newest stream
	AliveMS    int64  // until when it counts as connected
}

const runnerColumns = `id, name, secret_hash, version, session, alive_ms`

func scanRunner(r scanner) (v Runner, err error) {
	err = r.Scan(&v.ID, &v.Name, &v.SecretHash, &v.Version, &v.Session, &v.AliveMS)
	return v, err
}

// Runner reads a runner.
func (s *Store) Runner(ctx context.Context, id string) (Runner, error) {
	v, err := one(s.ro.QueryRowContext(ctx, `SELECT `+runnerColumns+` FROM runners WHERE id = $1`, id), scanRunner)
	if err != nil {
		return v, fmt.Errorf("read runner %q: %w", id, err)
	}
	return v, nil
}

// Runners lists the runners by name.
func (s *Store) Runners(ctx context.Context) ([]Runner, error) {
	vs, err := all(ctx, s.ro, scanRunner, `SELECT `+runnerColumns+` FROM runners ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("list runners: %w", err)
	}
	return vs, nil
}

// ConnectRunner records what a runner announces on a new stream, which replaces any older one.
func (s *Store) ConnectRunner(ctx context.Context, id, session, replica string, a lab.Announcement) error {
	err := s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE runners SET session = $1, replica = $2, alive_ms = $3, version = $4,
			repositories = $5 WHERE id = $6`,
			session, replica, s.aliveUntil(), a.Version, list(a.Repositories), id)
		if err != nil {
			return err
		}
		return s.putTargets(ctx, tx, id, a.Targets)
	})
	if err != nil {
		return fmt.Errorf("connect runner %s: %w", id, err)
	}
	return nil
}

// DisconnectRunner records that a stream has ended, unless the runner has a newer one.
func (s *Store) DisconnectRunner(ctx context.Context, id, session string) error {
	_, err := s.db.ExecContext(
		ctx, `UPDATE runners SET session = '', alive_ms = 0 WHERE id = $1 AND session = $2`, id, session,
	)
	if err != nil {
		return fmt.Errorf("disconnect runner %s: %w", id, err)
	}
	return nil
}

// RenewRunners keeps the runners connected whose streams are with a replica of the app, and returns their sessions by
// runner. The replica sees from them which of its streams have a newer one elsewhere.
func (s *Store) RenewRunners(ctx context.Context, replica string) (map[string]string, error) {
	type session struct{ runner, id string }
	vs, err := all(ctx, s.db, func(r scanner) (v session, err error) { err = r.Scan(&v.runner, &v.id); return v, err },
		`UPDATE runners SET alive_ms = $1 WHERE replica = $2 AND session <> '' RETURNING id, session`,
		s.aliveUntil(), replica)
	if err != nil {
		return nil, fmt.Errorf("renew runners: %w", err)
	}
	out := make(map[string]string, len(vs))
	for _, v := range vs {
		out[v.runner] = v.id
	}
	return out, nil
}

// ForgetStreams disconnects all runners, on SQLite, where no other process of the app can have their streams. On
// PostgreSQL, streams that are not renewed run out.
func (s *Store) ForgetStreams(ctx context.Context) error {
	if s.Postgres() {
		return nil
	}
	if _, err := s.db.ExecContext(ctx, `UPDATE runners SET session = '', alive_ms = 0 WHERE session <> ''`); err != nil {
		return fmt.Errorf("forget streams: %w", err)
	}
	return nil
}

// aliveUntil is when a stream that is not renewed counts as broken: with the leases of its runner.
func (s *Store) aliveUntil() int64 { return queue.LeaseUntil(s.clock()).UnixMilli() }
