package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Check is a check run of ours on a commit, and its outbox. Each change of what the check shows increments Wanted. The
// writer reads the current state, sends it, and sets Sent to the Wanted that it had read: so many changes become one
// update, and an older state never follows a newer one.
type Check struct {
	ID             string
	InstallationID int64
	Repo           string // owner/name
	HeadSHA        string
	PullNumber     int64
	Name           string
	Path           string // of the job file in the repository
	Line           int64  // of the job in the file at Path, from 1, when that file is not the job definition; else 0
	Generation     int64  // incremented by a re-run
	External       int64  // the generation for which the check run at GitHub was created
	Problem        string // JSON, of package checks: why there are no runs
	CheckRunID     int64  // GitHub's; 0 until it is created
	Wanted, Sent   int64
	SentHash       string // of what was sent last
	Annotations    int64  // how many GitHub has
	Open           bool   // the check run at GitHub has no conclusion
	SentMS         int64
	Error          string // why the last write failed
	CreatedMS      int64

	Interrupted bool // of a claim: the previous writer failed, and it is not known what GitHub has of it
}

// ExternalID is what GitHub knows the check run by.
func (c Check) ExternalID() string { return fmt.Sprintf("%s.%d", c.ID, c.External) }

// RunKey is the key of the check's run of the name, in its generation.
func (c Check) RunKey(name string) string { return fmt.Sprintf("%s.%d/%s", c.ID, c.Generation, name) }

const checkColumns = `id, installation_id, repo, head_sha, pull_number, name, path, line, generation, external, problem,
	check_run_id, wanted, sent, sent_hash, annotations, open, sent_ms, error, created_ms`

func scanCheck(r scanner) (c Check, err error) {
	var open int64
	err = r.Scan(&c.ID, &c.InstallationID, &c.Repo, &c.HeadSHA, &c.PullNumber, &c.Name, &c.Path, &c.Line, &c.Generation,
		&c.External, &c.Problem, &c.CheckRunID, &c.Wanted, &c.Sent, &c.SentHash, &c.Annotations, &open, &c.SentMS, &c.Error,
		&c.CreatedMS)
	c.Open = open != 0
	return c, err
}

// PutCheck inserts the check; if the commit has one of that name already, it takes over path, line and problem and
// increments Wanted. It returns the row, whose ID is c.ID only for a new one.
func (s *Store) PutCheck(ctx context.Context, tx *Tx, c Check) (Check, error) {
	got, err := one(tx.QueryRowContext(ctx, `
		INSERT INTO checks (id, installation_id, repo, head_sha, pull_number, name, path, line, problem, created_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (installation_id, repo, head_sha, name) DO UPDATE SET
			wanted = checks.wanted + 1, path = excluded.path, line = excluded.line, problem = excluded.problem
		RETURNING `+checkColumns, c.ID, c.InstallationID, c.Repo, c.HeadSHA, c.PullNumber, c.Name, c.Path, c.Line,
		c.Problem, s.nowMS()), scanCheck)
	if err != nil {
		return got, fmt.Errorf("put check %q: %w", c.Name, err)
	}
	return got, nil
}

// CheckNamed reads the check that a commit has under a name.
func (s *Store) CheckNamed(ctx context.Context, tx *Tx, installation int64, repo, sha, name string) (Check, error) {
	c, err := one(tx.QueryRowContext(ctx, `SELECT `+checkColumns+` FROM checks
		WHERE installation_id = $1 AND repo = $2 AND head_sha = $3 AND name = $4`, installation, repo, sha, name), scanCheck)
	if err != nil {
		return c, fmt.Errorf("read check %q: %w", name, err)
	}
	return c, nil
}

// RenewCheck begins the next generation of the check, which has runs of its own.
func (s *Store) RenewCheck(ctx context.Context, tx *Tx, id string) (Check, error) {
	c, err := one(tx.QueryRowContext(ctx, `UPDATE checks
		SET generation = generation + 1, wanted = wanted + 1, problem = ''
		WHERE id = $1 RETURNING `+checkColumns, id), scanCheck)
	if err != nil {
		return c, fmt.Errorf("renew check %q: %w", id, err)
	}
	return c, nil
}

// TouchCheckOf increments Wanted of the check that shows the run, since what it shows has changed. The id is "" when
// none does.
func (s *Store) TouchCheckOf(ctx context.Context, tx *Tx, runID string) (id string, err error) {
	err = tx.QueryRowContext(ctx, `UPDATE checks SET wanted = wanted + 1
		WHERE id = (SELECT check_id FROM runs WHERE id = $1) RETURNING id`, runID).Scan(&id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("touch check of run %s: %w", runID, err)
	}
	return id, nil
}

// TouchCheck increments Wanted.
func (s *Store) TouchCheck(ctx context.Context, tx *Tx, id string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE checks SET wanted = wanted + 1 WHERE id = $1`, id); err != nil {
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

// ChecksOf reads our checks on a commit.
func (s *Store) ChecksOf(ctx context.Context, installation int64, repo, sha string) ([]Check, error) {
	cs, err := all(ctx, s.ro, scanCheck, `SELECT `+checkColumns+` FROM checks
		WHERE installation_id = $1 AND repo = $2 AND head_sha = $3 ORDER BY name`, installation, repo, sha)
	if err != nil {
		return nil, fmt.Errorf("read checks of %s: %w", sha, err)
	}
	return cs, nil
}

// ForgetChecks deletes concluded checks created before the time whose runs are deleted, and closed pull requests not
// seen since.
func (s *Store) ForgetChecks(ctx context.Context, beforeMS int64) error {
	for _, q := range []string{
		`DELETE FROM checks WHERE open = 0 AND sent >= wanted AND created_ms < $1
			AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.check_id = checks.id)`,
		`DELETE FROM pulls WHERE open = 0 AND seen_ms < $1`,
	} {
		if _, err := s.db.ExecContext(ctx, q, beforeMS); err != nil {
			return fmt.Errorf("forget checks: %w", err)
		}
	}
	return nil
}

// OpenChecks lists up to limit checks, oldest first, that GitHub shows without a conclusion or in an old state, and
// that were not written since the time.
func (s *Store) OpenChecks(ctx context.Context, sentBefore time.Time, limit int) ([]Check, error) {
	cs, err := all(ctx, s.ro, scanCheck, `SELECT `+checkColumns+` FROM checks
		WHERE (open = 1 OR sent < wanted) AND sent_ms < $1 AND created_ms < $1 ORDER BY sent_ms LIMIT $2`,
		sentBefore.UnixMilli(), limit)
	if err != nil {
		return nil, fmt.Errorf("list open checks: %w", err)
	}
	return cs, nil
}
