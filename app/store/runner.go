package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/gantry-ci/gantry/jobs/lab"
)

// ErrRefused is returned for a token or name that enrolls nobody.
var ErrRefused = errors.New("refused")

// Runner is the agent on a lab machine.
type Runner struct {
	ID         string
	Name       string
	SecretHash string // SHA-256, lower-case hex
	Version    string // of gantry
	Session    string // of its newest stream
	AliveMS    int64  // it counts as connected until then
}

const runnerColumns = `id, name, secret_hash, version, session, alive_ms`

func scanRunner(r scanner) (v Runner, err error) {
	err = r.Scan(&v.ID, &v.Name, &v.SecretHash, &v.Version, &v.Session, &v.AliveMS)
	return v, err
}

// HashSecret is what is kept of a token or secret. Those are random and long, so that no slow hash is needed.
func HashSecret(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(h[:])
}

// NewEnrolment makes a token that enrolls one runner within the time. With a name it is for that runner only, and
// replaces its credential when there is such a runner; without, it is for any new one.
func (s *Store) NewEnrolment(ctx context.Context, name string, ttl time.Duration) (token string, err error) {
	token = "gantry-enroll-" + rand.Text()
	_, err = s.db.ExecContext(ctx, `INSERT INTO enrolments (token_hash, name, until_ms) VALUES ($1, $2, $3)`,
		HashSecret(token), name, s.nowMS()+ttl.Milliseconds())
	if err != nil {
		return "", fmt.Errorf("make enrolment token: %w", err)
	}
	return token, nil
}

// Enroll trades a token for a runner's id. The same token and secret get the same answer again, since an answer may be
// lost on its way; anybody else is ErrRefused.
func (s *Store) Enroll(ctx context.Context, token, name, secretHash string) (id string, err error) {
	// Outside of a transaction at first: anybody may guess, and shall not hold up who writes.
	var known int64
	if err := s.ro.QueryRowContext(
		ctx, `SELECT COUNT(*) FROM enrolments WHERE token_hash = $1`, HashSecret(token),
	).Scan(&known); err != nil {
		return "", fmt.Errorf("enroll runner %q: %w", name, err)
	}
	if known == 0 {
		return "", fmt.Errorf("enroll runner %q: %w: no such token", name, ErrRefused)
	}
	err = s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		var only, usedBy string
		var until int64
		err := tx.QueryRowContext(ctx, `SELECT name, until_ms, runner_id, secret_hash FROM enrolments WHERE token_hash = $1 `+s.dialect.forUpdate,
			HashSecret(token)).Scan(&only, &until, &id, &usedBy)
		switch {
		case err != nil:
			return err
		case id != "" && usedBy == secretHash:
			return nil
		case id != "" || until < s.nowMS():
			return fmt.Errorf("%w: the token is used or too old", ErrRefused)
		case only != "" && only != name:
			return fmt.Errorf("%w: the token is for another runner", ErrRefused)
		}
		if id, err = s.putRunner(ctx, tx, name, secretHash, only != ""); err != nil {
			return err
		}
		_, err = tx.ExecContext(
			ctx, `UPDATE enrolments SET runner_id = $1, secret_hash = $2 WHERE token_hash = $3`, id, secretHash,
			HashSecret(token),
		)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("enroll runner %q: %w", name, err)
	}
	return id, nil
}

// putRunner inserts a runner, or gives the one with the name a new secret.
func (s *Store) putRunner(ctx context.Context, tx *Tx, name, secretHash string, replace bool) (id string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT id FROM runners WHERE name = $1`, name).Scan(&id)
	switch {
	case isNoRows(err):
		id = uuid.NewString()
		_, err = tx.ExecContext(
			ctx, `INSERT INTO runners (id, name, secret_hash, created_ms) VALUES ($1, $2, $3, $4)`, id, name, secretHash,
			s.nowMS(),
		)
	case err == nil && !replace:
		err = fmt.Errorf("%w: there is a runner of that name; a token made for it replaces its credential", ErrRefused)
	case err == nil:
		_, err = tx.ExecContext(
			ctx, `UPDATE runners SET secret_hash = $1, session = '', alive_ms = 0 WHERE id = $2`, secretHash, id,
		)
	}
	return id, err
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

// ConnectRunner notes what a runner announces on a new stream, which from now on is its only one.
func (s *Store) ConnectRunner(ctx context.Context, id, session, replica string, a lab.Announcement) error {
	err := s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE runners SET session = $1, replica = $2, alive_ms = $3, version = $4, repositories = $5 WHERE id = $6`,
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

// DisconnectRunner notes the end of a stream, unless the runner has a newer one.
func (s *Store) DisconnectRunner(ctx context.Context, id, session string) error {
	_, err := s.db.ExecContext(
		ctx, `UPDATE runners SET session = '', alive_ms = 0 WHERE id = $1 AND session = $2`, id, session,
	)
	if err != nil {
		return fmt.Errorf("disconnect runner %s: %w", id, err)
	}
	return nil
}

// RenewRunners keeps the runners connected whose streams are with the replica of the app, and returns their sessions by
// runner, so that the replica sees which of its streams have been taken over elsewhere.
func (s *Store) RenewRunners(ctx context.Context, replica string) (map[string]string, error) {
	type session struct{ runner, id string }
	vs, err := all(ctx, s.db, func(r scanner) (v session, err error) { err = r.Scan(&v.runner, &v.id); return v, err },
		`UPDATE runners SET alive_ms = $1 WHERE replica = $2 AND session <> '' RETURNING id, session`, s.aliveUntil(), replica)
	if err != nil {
		return nil, fmt.Errorf("renew runners: %w", err)
	}
	out := make(map[string]string, len(vs))
	for _, v := range vs {
		out[v.runner] = v.id
	}
	return out, nil
}

// ForgiveLeases gives leases time to be kept again that ran out while the app could not listen.
func (s *Store) ForgiveLeases(ctx context.Context) error {
	if _, err := s.db.ExecContext(
		ctx, `UPDATE leases SET until_ms = $1 WHERE state = 'held' AND until_ms < $1`, s.leaseUntil(),
	); err != nil {
		return fmt.Errorf("forgive leases: %w", err)
	}
	return nil
}

// Restart makes up for the app's absence: leases get time to be kept again, and on SQLite, where no other replica can
// have them, all streams are forgotten.
func (s *Store) Restart(ctx context.Context) error {
	if err := s.ForgiveLeases(ctx); err != nil || s.Postgres() {
		return err
	}
	if _, err := s.db.ExecContext(ctx, `UPDATE runners SET session = '', alive_ms = 0 WHERE session <> ''`); err != nil {
		return fmt.Errorf("forget streams: %w", err)
	}
	return nil
}

// aliveUntil is when a stream that is not renewed counts as broken.
func (s *Store) aliveUntil() int64 { return s.nowMS() + lab.LeaseTimeout.Milliseconds() }

// leaseUntil is when a lease that is not kept is lost.
func (s *Store) leaseUntil() int64 { return s.nowMS() + lab.LeaseTimeout.Milliseconds() }

// Target is a board or guest of a runner.
type Target struct {
	ID     string
	Runner string // its name
	lab.Target
	LeaseID   string // that holds it
	Announced bool   // its runner names it still
	Connected bool   // its runner is there
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

// PutTargets notes the targets that a runner announces; those it does not name get no runs.
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
		_, err := tx.ExecContext(ctx, `INSERT INTO targets (id, runner_id, name, type, tags, tag_count, trust, health) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (runner_id, name) DO UPDATE SET type = excluded.type, tags = excluded.tags, tag_count = excluded.tag_count,
				trust = excluded.trust, health = excluded.health, announced = 1`,
			uuid.NewString(), runner, t.Name, t.Type, list(t.Tags), len(t.Tags), string(t.Trust), string(t.Health))
		if err != nil {
			return fmt.Errorf("target %q: %w", t.Name, err)
		}
	}
	return s.tell(ctx, tx, Change{Queue: true, Runner: runner})
}
