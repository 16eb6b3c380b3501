package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Tx is a transaction. On SQLite it holds the only connection that writes: code inside it must write through it alone,
// and must not wait for the network.
type Tx struct {
	*sql.Tx
	pg    *pgx.Conn
	after []func()
}

// AfterCommit has f called once the transaction is committed; it must not block.
func (t *Tx) AfterCommit(f func()) { t.after = append(t.after, f) }

// Pgx is the connection of the transaction on PostgreSQL, for River, which uses pgx; nil on SQLite.
func (t *Tx) Pgx() *pgx.Conn { return t.pg }

// Tx calls f in a transaction, which is committed when f returns nil and rolled back otherwise.
func (s *Store) Tx(ctx context.Context, f func(ctx context.Context, tx *Tx) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	tx := &Tx{}
	if s.Postgres() {
		if err := conn.Raw(func(c any) error { tx.pg = c.(*stdlib.Conn).Conn(); return nil }); err != nil {
			return fmt.Errorf("begin transaction: %w", err)
		}
	}
	if tx.Tx, err = conn.BeginTx(ctx, nil); err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	if err := f(ctx, tx); err != nil {
		if rerr := tx.Rollback(); rerr != nil && !errors.Is(rerr, sql.ErrTxDone) {
			err = errors.Join(err, fmt.Errorf("roll back transaction: %w", rerr))
		}
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	for _, f := range tx.after {
		f()
	}
	return nil
}

// querier reads rows: a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// scanner is a row whose columns are read.
type scanner interface{ Scan(dest ...any) error }

// one reads a row with scan; without a row it is ErrNotFound.
func one[T any](r *sql.Row, scan func(scanner) (T, error)) (T, error) {
	v, err := scan(r)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return v, err
}

// all reads every row of a query with scan.
func all[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err has it
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
