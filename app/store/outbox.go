package store

import (
	"context"
	"fmt"
	"time"
)

// ClaimCheck gives the check to a writer until the time. It is ErrNotFound when there is nothing to send, or another
// writer has it; that one sees what changed meanwhile when it ends its claim.
func (s *Store) ClaimCheck(ctx context.Context, id, writer string, until time.Time) (c Check, err error) {
	err = s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		var before string
		err := tx.QueryRowContext(ctx, `SELECT writer FROM checks WHERE id = $1 AND sent < wanted
			AND (writer = '' OR writer_until_ms < $2) `+s.dialect.forUpdate, id, s.nowMS()).Scan(&before)
		if err != nil {
			return notFound(err)
		}
		c, err = one(tx.QueryRowContext(ctx, `UPDATE checks SET writer = $1, writer_until_ms = $2
			WHERE id = $3 RETURNING `+checkColumns, writer, until.UnixMilli(), id), scanCheck)
		c.Interrupted = before != ""
		return err
	})
	if err != nil {
		return c, fmt.Errorf("claim check %q: %w", id, err)
	}
	return c, nil
}

// ReplaceCheckRun has the writer create a new check run, for the check's generation, beside the concluded one: GitHub
// cannot remove annotations.
func (s *Store) ReplaceCheckRun(ctx context.Context, id, writer string) error {
	r, err := s.db.ExecContext(ctx, `UPDATE checks
		SET external = generation, check_run_id = 0, annotations = 0, sent_hash = '', open = 1
		WHERE id = $1 AND writer = $2`, id, writer)
	if ok, err := changed(r, err, "replace check run of %q", id); err != nil || ok {
		return err
	}
	return fmt.Errorf("replace check run of %q: %w", id, ErrNotFound)
}

// CheckCreated records GitHub's id of a check run that the writer has just created.
func (s *Store) CheckCreated(ctx context.Context, id, writer string, checkRunID int64) error {
	r, err := s.db.ExecContext(
		ctx, `UPDATE checks SET check_run_id = $1 WHERE id = $2 AND writer = $3`, checkRunID, id, writer,
	)
	if ok, err := changed(r, err, "record check run %d", checkRunID); err != nil || ok {
		return err
	}
	return fmt.Errorf("record check run %d: %w", checkRunID, ErrNotFound)
}

// CheckSent ends a writer's claim. c has the Wanted that the writer had read, and what GitHub has now. more is true
// when there is more to send.
func (s *Store) CheckSent(ctx context.Context, c Check, writer string) (more bool, err error) {
	open := int64(0)
	if c.Open {
		open = 1
	}
	err = s.db.QueryRowContext(ctx, `UPDATE checks SET writer = '', writer_until_ms = 0, sent = $1, sent_hash = $2,
			annotations = $3, open = $4, sent_ms = $5, error = ''
		WHERE id = $6 AND writer = $7 RETURNING wanted > sent`,
		c.Wanted, c.SentHash, c.Annotations, open, s.nowMS(), c.ID, writer).Scan(&more)
	if err != nil {
		return false, fmt.Errorf("record check %q as sent: %w", c.ID, err)
	}
	return more, nil
}

// ReleaseCheck ends the claim of a writer that failed, or, with an empty why, that must wait. After a failure the next
// claim is Interrupted: GitHub may have carried out a request that was not answered.
func (s *Store) ReleaseCheck(ctx context.Context, id, writer, why string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE checks
		SET writer = CASE WHEN $1 = '' THEN '' ELSE writer END, writer_until_ms = 0, error = $1
		WHERE id = $2 AND writer = $3`, why, id, writer)
	if err != nil {
		return fmt.Errorf("release check %q: %w", id, err)
	}
	return nil
}

// InterruptChecks ends the claims that a crash left behind, on SQLite, where no other process can have them. On
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

// CheckProgress records, during a claim, how many annotations GitHub has, and extends the claim.
func (s *Store) CheckProgress(ctx context.Context, id, writer string, annotations int64, until time.Time) error {
	r, err := s.db.ExecContext(
		ctx, `UPDATE checks SET annotations = $1, writer_until_ms = $2 WHERE id = $3 AND writer = $4`, annotations,
		until.UnixMilli(), id, writer,
	)
	if ok, err := changed(r, err, "record progress of check %q", id); err != nil || ok {
		return err
	}
	return fmt.Errorf("record progress of check %q: %w", id, ErrNotFound)
}

// GiveUpCheck closes a check that GitHub does not accept.
func (s *Store) GiveUpCheck(ctx context.Context, id, why string) error {
	if _, err := s.db.ExecContext(
		ctx, `UPDATE checks SET open = 0, sent = wanted, error = $1, writer = '', writer_until_ms = 0 WHERE id = $2`, why, id,
	); err != nil {
		return fmt.Errorf("give up check %q: %w", id, err)
	}
	return nil
}
