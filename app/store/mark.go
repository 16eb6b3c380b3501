package store

import (
	"context"
	"fmt"
)

// Mark reads how far a periodic step has come, in epoch milliseconds; it is ErrNotFound before the first SetMark.
func (s *Store) Mark(ctx context.Context, name string) (ms int64, err error) {
	if err := s.ro.QueryRowContext(ctx, `SELECT at_ms FROM marks WHERE name = $1`, name).Scan(&ms); err != nil {
		return 0, fmt.Errorf("read mark %q: %w", name, notFound(err))
	}
	return ms, nil
}

// SetMark records how far the step has come. A mark never moves back.
func (s *Store) SetMark(ctx context.Context, name string, ms int64) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO marks (name, at_ms) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET at_ms = excluded.at_ms WHERE marks.at_ms < excluded.at_ms`, name, ms)
	if err != nil {
		return fmt.Errorf("set mark %q: %w", name, err)
	}
	return nil
}
