package store

import (
	"context"
	"errors"
	"fmt"
)

// Pull is a pull request as GitHub last showed it.
type Pull struct {
	InstallationID int64
	Repo           string
	Number         int64
	HeadSHA        string
	Open           bool
	SeenMS         int64 // when the request that read it began
}

// RecordPull records the state of a pull request and returns the newest one recorded: p, or one that was read later.
// Events arrive in any order and are handled concurrently; a worker acts on the newest state, in tx.
func (s *Store) RecordPull(ctx context.Context, tx *Tx, p Pull) (Pull, error) {
	open := 0
	if p.Open {
		open = 1
	}
	got := p
	err := tx.QueryRowContext(ctx, `
		INSERT INTO pulls (installation_id, repo, number, head_sha, open, seen_ms) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (installation_id, repo, number) DO UPDATE SET
			head_sha = CASE WHEN excluded.seen_ms >= pulls.seen_ms THEN excluded.head_sha ELSE pulls.head_sha END,
			open = CASE WHEN excluded.seen_ms >= pulls.seen_ms THEN excluded.open ELSE pulls.open END,
			seen_ms = CASE WHEN excluded.seen_ms >= pulls.seen_ms THEN excluded.seen_ms ELSE pulls.seen_ms END
		RETURNING head_sha, open, seen_ms`,
		p.InstallationID, p.Repo, p.Number, p.HeadSHA, open, p.SeenMS).Scan(&got.HeadSHA, &open, &got.SeenMS)
	if err != nil {
		return got, fmt.Errorf("record pull request %s#%d: %w", p.Repo, p.Number, err)
	}
	got.Open = open != 0
	return got, nil
}

// ActiveRun is a run that has no verdict yet.
type ActiveRun struct{ ID, Commit string }

// ActiveRunsOfPull reads the runs of a pull request that have no verdict yet.
func (s *Store) ActiveRunsOfPull(ctx context.Context, tx *Tx, repo string, number int64) ([]ActiveRun, error) {
	rs, err := all(ctx, tx, func(r scanner) (v ActiveRun, err error) { err = r.Scan(&v.ID, &v.Commit); return v, err },
		`SELECT id, commit_sha FROM runs WHERE repository = $1 AND pull_number = $2 AND state <> 'completed'`,
		repo, number)
	if err != nil {
		return nil, fmt.Errorf("read runs of pull request %s#%d: %w", repo, number, err)
	}
	return rs, nil
}

// HandOverRun gives a run of the pull request to another open one whose head is the run's commit; that one's events
// then decide about the run. It is false when there is none. A runner that executes the run is not told.
func (s *Store) HandOverRun(ctx context.Context, tx *Tx, r ActiveRun, from Pull) (bool, error) {
	// The row is locked: two pull requests closed at the same time must not each hand the run to the other.
	to, err := one(tx.QueryRowContext(ctx, `SELECT number FROM pulls
		WHERE installation_id = $1 AND repo = $2 AND head_sha = $3 AND open = 1 AND number <> $4
		ORDER BY number LIMIT 1 `+s.dialect.forUpdate, from.InstallationID, from.Repo, r.Commit, from.Number), scanInt)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err == nil {
		_, err = tx.ExecContext(
			ctx, `UPDATE runs SET pull_number = $1, ref = $2 WHERE id = $3`, to, fmt.Sprintf("refs/pull/%d/head", to), r.ID,
		)
	}
	if err != nil {
		return false, fmt.Errorf("hand over run %s of pull request %s#%d: %w", r.ID, from.Repo, from.Number, err)
	}
	return true, nil
}
