package store

import (
	"context"
	"fmt"
	"time"
)

// Check is a check run of ours on a commit, and the outbox of it: what GitHub was told (Sent), and what it must be told
// (Wanted). Each change of what is shown raises Wanted; the writer reads the state of now, sends it, and sets Sent to the
// Wanted it had read, so that many changes are one update, and an older state never follows a newer one.
type Check struct {
	ID             string // external_id at GitHub
	InstallationID int64
	Repo           string // owner/name
	HeadSHA        string
	PullNumber     int64
	Name           string
	Problem        string // JSON, of package checks: why there are no runs
	CheckRunID     int64  // GitHub's; 0 until it is made
	Wanted, Sent   int64
	SentHash       string // of what was sent last
	Annotations    int64  // how many GitHub has
	Open           bool   // GitHub has no conclusion, or an old one
	SentMS         int64
	CreatedMS      int64
}

const checkColumns = `id, installation_id, repo, head_sha, pull_number, name, problem, check_run_id, wanted, sent, sent_hash, annotations, open, sent_ms, created_ms`

func scanCheck(r scanner) (c Check, err error) {
	var open int64
	err = r.Scan(&c.ID, &c.InstallationID, &c.Repo, &c.HeadSHA, &c.PullNumber, &c.Name, &c.Problem, &c.CheckRunID,
		&c.Wanted, &c.Sent, &c.SentHash, &c.Annotations, &open, &c.SentMS, &c.CreatedMS)
	c.Open = open != 0
	return c, err
}

// WantCheck inserts the check, or raises Wanted of the one that the commit has under its name and takes over the
// problem. It returns the row; c.ID counts only for a new one.
func (s *Store) WantCheck(ctx context.Context, tx *Tx, c Check) (Check, error) {
	got, err := one(tx.QueryRowContext(ctx, `
		INSERT INTO checks (id, installation_id, repo, head_sha, pull_number, name, problem, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (installation_id, repo, head_sha, name) DO UPDATE SET wanted = checks.wanted + 1, open = 1, problem = excluded.problem
		RETURNING `+checkColumns, c.ID, c.InstallationID, c.Repo, c.HeadSHA, c.PullNumber, c.Name, c.Problem, s.nowMS()), scanCheck)
	if err != nil {
		return got, fmt.Errorf("want check %q: %w", c.Name, err)
	}
	return got, nil
}

// TouchCheck raises Wanted: what is shown has changed.
func (s *Store) TouchCheck(ctx context.Context, tx *Tx, id string) error {
	_, err := tx.ExecContext(ctx, `UPDATE checks SET wanted = wanted + 1, open = 1 WHERE id = $1`, id)
	if err != nil {
		return fmt.Errorf("touch check %s: %w", id, err)
	}
	return nil
}

// Check reads a check.
func (s *Store) Check(ctx context.Context, id string) (Check, error) {
	c, err := one(s.ro.QueryRowContext(ctx, `SELECT `+checkColumns+` FROM checks WHERE id = $1`, id), scanCheck)
	if err != nil {
		return c, fmt.Errorf("read check %q: %w", id, err)
	}
	return c, nil
}

// ChecksOf reads the checks on a commit.
func (s *Store) ChecksOf(ctx context.Context, installation int64, repo, sha string) ([]Check, error) {
	cs, err := all(ctx, s.ro, scanCheck, `SELECT `+checkColumns+` FROM checks
		WHERE installation_id = $1 AND repo = $2 AND head_sha = $3 ORDER BY name`, installation, repo, sha)
	if err != nil {
		return nil, fmt.Errorf("read checks of %s: %w", sha, err)
	}
	return cs, nil
}

// ClaimCheck gives the check to one writer until the time, when there is something to send and no other writer has it;
// otherwise it is ErrNotFound. Whoever holds the claim sees, when it ends it, what changed meanwhile.
func (s *Store) ClaimCheck(ctx context.Context, id, writer string, until time.Time) (Check, error) {
	c, err := one(s.db.QueryRowContext(ctx, `UPDATE checks SET writer = $1, writer_until_ms = $2
		WHERE id = $3 AND sent < wanted AND (writer = '' OR writer_until_ms < $4) RETURNING `+checkColumns,
		writer, until.UnixMilli(), id, s.nowMS()), scanCheck)
	if err != nil {
		return c, fmt.Errorf("claim check %q: %w", id, err)
	}
	return c, nil
}

// CheckMade notes GitHub's id of a check that its writer has just made.
func (s *Store) CheckMade(ctx context.Context, id, writer string, checkRunID int64) error {
	r, err := s.db.ExecContext(ctx, `UPDATE checks SET check_run_id = $1 WHERE id = $2 AND writer = $3`, checkRunID, id, writer)
	if ok, err := changed(r, err, "note check run %d", checkRunID); err != nil || ok {
		return err
	}
	return fmt.Errorf("note check run %d: %w", checkRunID, ErrNotFound)
}

// CheckSent ends the claim of a writer. c holds the Wanted it had read and what GitHub has now. It is true when there
// is more to send.
func (s *Store) CheckSent(ctx context.Context, c Check, writer string) (more bool, err error) {
	open := int64(0)
	if c.Open {
		open = 1
	}
	err = s.db.QueryRowContext(ctx, `UPDATE checks SET writer = '', writer_until_ms = 0, sent = $1, sent_hash = $2, annotations = $3,
		open = CASE WHEN wanted > $1 THEN 1 ELSE $4 END, sent_ms = $5 WHERE id = $6 AND writer = $7 RETURNING wanted > sent`,
		c.Wanted, c.SentHash, c.Annotations, open, s.nowMS(), c.ID, writer).Scan(&more)
	if err != nil {
		return false, fmt.Errorf("note check %q as sent: %w", c.ID, err)
	}
	return more, nil
}

// ReleaseCheck ends the claim of a writer that could not send.
func (s *Store) ReleaseCheck(ctx context.Context, id, writer string) error {
	if _, err := s.db.ExecContext(ctx, `UPDATE checks SET writer = '', writer_until_ms = 0 WHERE id = $1 AND writer = $2`, id, writer); err != nil {
		return fmt.Errorf("release check %q: %w", id, err)
	}
	return nil
}

// OpenChecks lists checks that GitHub shows without their conclusion and that were not written since the time, oldest
// first, at most limit.
func (s *Store) OpenChecks(ctx context.Context, sentBefore time.Time, limit int) ([]Check, error) {
	cs, err := all(ctx, s.ro, scanCheck, `SELECT `+checkColumns+` FROM checks
		WHERE open = 1 AND sent_ms < $1 AND created_ms < $1 ORDER BY sent_ms LIMIT $2`, sentBefore.UnixMilli(), limit)
	if err != nil {
		return nil, fmt.Errorf("list open checks: %w", err)
	}
	return cs, nil
}
