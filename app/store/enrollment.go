package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ErrRefused is returned for a token or name that enrolls nobody.
var ErrRefused = errors.New("refused")

// HashSecret is what is stored of a token or secret: SHA-256 in lower-case hex. They are long and random, so no slow
// hash is needed.
func HashSecret(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(h[:])
}

// NewEnrollment makes a token that enrolls one runner within ttl. With a name, it is for the runner of that name only,
// and replaces the credential of one that is enrolled already; without, it is for any new runner.
func (s *Store) NewEnrollment(ctx context.Context, name string, ttl time.Duration) (token string, err error) {
	token = "gantry-enroll-" + rand.Text()
	_, err = s.db.ExecContext(ctx, `INSERT INTO enrolments (token_hash, name, until_ms) VALUES ($1, $2, $3)`,
		HashSecret(token), name, s.nowMS()+ttl.Milliseconds())
	if err != nil {
		return "", fmt.Errorf("make enrollment token: %w", err)
	}
	return token, nil
}

// Enroll trades a token for a runner's id. The same token and secret get the same answer again, since the first answer
// may have been lost; anything else is ErrRefused.
func (s *Store) Enroll(ctx context.Context, token, name, secretHash string) (id string, err error) {
	// First outside of a transaction: anybody may guess tokens, and must not hold up the writer.
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
		err := tx.QueryRowContext(ctx, `SELECT name, until_ms, runner_id, secret_hash FROM enrolments
			WHERE token_hash = $1 `+s.dialect.forUpdate, HashSecret(token)).Scan(&only, &until, &id, &usedBy)
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
