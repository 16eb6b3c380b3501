package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Check is a check run of ours on a commit, and the outbox of it: what GitHub was told (Sent), and what it must be told
// (Wanted). Each change of what is shown raises Wanted; the writer reads the state of now, sends it, and sets Sent to
// the Wanted it had read, so that many changes are one update, and an older state never follows a newer one.
type Check struct {
	ID             string
	InstallationID int64
	Repo           string // owner/name
	HeadSHA        string
	PullNumber     int64
	Name           string
	Path           string // of the job file in the repository
	Line           int64  // 1-based, of the job in a file at Path that is not its runs' job definition; else 0
	Generation     int64  // raised by a re-run
	External       int64  // the generation that the check run at GitHub was made for
	Problem        string // JSON, of package checks: why there are no runs
	CheckRunID     int64  // GitHub's; 0 until it is made
	Wanted, Sent   int64
	SentHash       string // of what was sent last
	Annotations    int64  // how many GitHub has
	Open           bool   // the check run at GitHub has no conclusion
	SentMS         int64
	Error          string // why the last write failed
	CreatedMS      int64

	Interrupted bool // of a claim: the writer before died; what it had sent is unknown
}

// ExternalID is what GitHub knows the check run by.
func (c Check) ExternalID() string { return fmt.Sprintf("%s.%d", c.ID, c.External) }

// RunKey is the key of the check's run of the name, in its generation.
func (c Check) RunKey(name string) string { return fmt.Sprintf("%s.%d/%s", c.ID, c.Generation, name) }

const checkColumns = `id, installation_id, repo, head_sha, pull_number, name, path, line, generation, external, problem, check_run_id,
	wanted, sent, sent_hash, annotations, open, sent_ms, error, created_ms`

func scanCheck(r scanner) (c Check, err error) {
	var open int64
	err = r.Scan(&c.ID, &c.InstallationID, &c.Repo, &c.HeadSHA, &c.PullNumber, &c.Name, &c.Path, &c.Line, &c.Generation,
		&c.External, &c.Problem, &c.CheckRunID, &c.Wanted, &c.Sent, &c.SentHash, &c.Annotations, &open, &c.SentMS, &c.Error,
		&c.CreatedMS)
	c.Open = open != 0
	return c, err
}

// WantCheck inserts the check, or raises Wanted of the one that the commit has under its name and takes over path,
// line and problem. It returns the row; c.ID counts only for a new one.
func (s *Store) WantCheck(ctx context.Context, tx *Tx, c Check) (Check, error) {
	got, err := one(tx.QueryRowContext(ctx, `
		INSERT INTO checks (id, installation_id, repo, head_sha, pull_number, name, path, line, problem, created_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (installation_id, repo, head_sha, name) DO UPDATE SET
			wanted = checks.wanted + 1, path = excluded.path, line = excluded.line, problem = excluded.problem
		RETURNING `+checkColumns, c.ID, c.InstallationID, c.Repo, c.HeadSHA, c.PullNumber, c.Name, c.Path, c.Line,
		c.Problem, s.nowMS()), scanCheck)
	if err != nil {
		return got, fmt.Errorf("want check %q: %w", c.Name, err)
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

// RenewCheck begins the check's next generation, with runs of its own.
func (s *Store) RenewCheck(ctx context.Context, tx *Tx, id string) (Check, error) {
	c, err := one(tx.QueryRowContext(ctx, `UPDATE checks SET generation = generation + 1, wanted = wanted + 1, problem = ''
		WHERE id = $1 RETURNING `+checkColumns, id), scanCheck)
	if err != nil {
		return c, fmt.Errorf("renew check %q: %w", id, err)
	}
	return c, nil
}

// TouchCheckOf raises Wanted of the check that shows the run: what is shown has changed. It is "" when none does.
func (s *Store) TouchCheckOf(ctx context.Context, tx *Tx, runID string) (id string, err error) {
	err = tx.QueryRowContext(ctx, `UPDATE checks SET wanted = wanted + 1
		WHERE id = (SELECT check_id FROM runs WHERE id = $1) RETURNING id`, runID).Scan(&id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("touch check of run %s: %w", runID, err)
	}
	return id, nil
}

// TouchCheck raises Wanted.
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
func (s *Store) ClaimCheck(ctx context.Context, id, writer string, until time.Time) (c Check, err error) {
	err = s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		var before string
		err := tx.QueryRowContext(ctx, `SELECT writer FROM checks WHERE id = $1 AND sent < wanted
			AND (writer = '' OR writer_until_ms < $2) `+s.dialect.forUpdate, id, s.nowMS()).Scan(&before)
		if err != nil {
			return notFound(err)
		}
		c, err = one(tx.QueryRowContext(ctx, `UPDATE checks SET writer = $1, writer_until_ms = $2 WHERE id = $3 RETURNING `+
			checkColumns,
			writer, until.UnixMilli(), id), scanCheck)
		c.Interrupted = before != ""
		return err
	})
	if err != nil {
		return c, fmt.Errorf("claim check %q: %w", id, err)
	}
	return c, nil
}

// ReplaceCheckRun has the writer make a new check run, of the check's generation, beside the one that is concluded:
// GitHub takes no annotation back.
func (s *Store) ReplaceCheckRun(ctx context.Context, id, writer string) error {
	r, err := s.db.ExecContext(ctx, `UPDATE checks SET external = generation, check_run_id = 0, annotations = 0, sent_hash = '', open = 1
		WHERE id = $1 AND writer = $2`, id, writer)
	if ok, err := changed(r, err, "replace check run of %q", id); err != nil || ok {
		return err
	}
	return fmt.Errorf("replace check run of %q: %w", id, ErrNotFound)
}

// CheckMade notes GitHub's id of a check that its writer has just made.
func (s *Store) CheckMade(ctx context.Context, id, writer string, checkRunID int64) error {
	r, err := s.db.ExecContext(
		ctx, `UPDATE checks SET check_run_id = $1 WHERE id = $2 AND writer = $3`, checkRunID, id, writer,
	)
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
		open = $4, sent_ms = $5, error = '' WHERE id = $6 AND writer = $7 RETURNING wanted > sent`,
		c.Wanted, c.SentHash, c.Annotations, open, s.nowMS(), c.ID, writer).Scan(&more)
	if err != nil {
		return false, fmt.Errorf("note check %q as sent: %w", c.ID, err)
	}
	return more, nil
}

// ReleaseCheck ends the claim of a writer that could not send, or not yet; why is "" then. After a failure the next
// claim is Interrupted: GitHub may have taken what was not answered.
func (s *Store) ReleaseCheck(ctx context.Context, id, writer, why string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE checks SET writer = CASE WHEN $1 = '' THEN '' ELSE writer END, writer_until_ms = 0, error = $1
		WHERE id = $2 AND writer = $3`, why, id, writer)
	if err != nil {
		return fmt.Errorf("release check %q: %w", id, err)
	}
	return nil
}

// InterruptChecks ends, on SQLite, the claims of writers that a crash left behind: no other process can have them. On
// PostgreSQL they run out.
func (s *Store) InterruptChecks(ctx context.Context) error {
	if s.Postgres() {
		return nil
	}
	if _, err := s.db.ExecContext(ctx, `UPDATE checks SET writer_until_ms = 0 WHERE writer <> ''`); err != nil {
		return fmt.Errorf("interrupt checks: %w", err)
	}
	return nil
}

// CheckProgress notes, during a claim, how many annotations GitHub has, and prolongs the claim.
func (s *Store) CheckProgress(ctx context.Context, id, writer string, annotations int64, until time.Time) error {
	r, err := s.db.ExecContext(
		ctx, `UPDATE checks SET annotations = $1, writer_until_ms = $2 WHERE id = $3 AND writer = $4`, annotations,
		until.UnixMilli(), id, writer,
	)
	if ok, err := changed(r, err, "note progress of check %q", id); err != nil || ok {
		return err
	}
	return fmt.Errorf("note progress of check %q: %w", id, ErrNotFound)
}

// GiveUpCheck closes a check that GitHub does not take.
func (s *Store) GiveUpCheck(ctx context.Context, id, why string) error {
	if _, err := s.db.ExecContext(
		ctx, `UPDATE checks SET open = 0, sent = wanted, error = $1, writer = '', writer_until_ms = 0 WHERE id = $2`, why, id,
	); err != nil {
		return fmt.Errorf("give up check %q: %w", id, err)
	}
	return nil
}

// ForgetChecks removes concluded checks made before the time whose runs are forgotten, and closed pull requests not
// seen since.
func (s *Store) ForgetChecks(ctx context.Context, beforeMS int64) error {
	for _, q := range []string{
		`DELETE FROM checks WHERE open = 0 AND sent >= wanted AND created_ms < $1 AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.check_id = checks.id)`,
		`DELETE FROM pulls WHERE open = 0 AND seen_ms < $1`,
	} {
		if _, err := s.db.ExecContext(ctx, q, beforeMS); err != nil {
			return fmt.Errorf("forget checks: %w", err)
		}
	}
	return nil
}

// OpenChecks lists checks that GitHub shows without a conclusion, or with an old state, and that were not written since
// the time, oldest first, at most limit.
func (s *Store) OpenChecks(ctx context.Context, sentBefore time.Time, limit int) ([]Check, error) {
	cs, err := all(ctx, s.ro, scanCheck, `SELECT `+checkColumns+` FROM checks
		WHERE (open = 1 OR sent < wanted) AND sent_ms < $1 AND created_ms < $1 ORDER BY sent_ms LIMIT $2`, sentBefore.UnixMilli(), limit)
	if err != nil {
		return nil, fmt.Errorf("list open checks: %w", err)
	}
	return cs, nil
}
