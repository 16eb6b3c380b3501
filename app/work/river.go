package work

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/gantry-ci/gantry/app/store"
)

// client is River on one of the two databases.
type client interface {
	insert(ctx context.Context, tx *store.Tx, args river.JobArgs, opts *river.InsertOpts) error
	start(ctx context.Context) error
	stop(ctx context.Context) error
	close()
}

// driverClient is River over a driver whose transactions are T.
type driverClient[T any] struct {
	*river.Client[T]
	of   func(*store.Tx) T
	free func()
}

func (c *driverClient[T]) insert(ctx context.Context, tx *store.Tx, args river.JobArgs, opts *river.InsertOpts) error {
	if _, err := c.InsertTx(ctx, c.of(tx), args, opts); err != nil {
		return fmt.Errorf("insert job %s: %w", args.Kind(), err)
	}
	return nil
}

func (c *driverClient[T]) start(ctx context.Context) error { return c.Start(ctx) }

func (c *driverClient[T]) stop(ctx context.Context) error { return c.Stop(ctx) }

func (c *driverClient[T]) close() { c.free() }

// newClient migrates River's tables and makes its client.
func newClient(ctx context.Context, s *store.Store, dsn string, c *river.Config) (client, error) {
	if !s.Postgres() {
		return newDriverClient(ctx, riversqlite.New(s.Writer()), c, func(tx *store.Tx) *sql.Tx { return tx.Tx }, func() {})
	}
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return nil, fmt.Errorf("open database for jobs: %w", err)
	}
	rc, err := newDriverClient(
		ctx, riverpgxv5.New(pool), c, func(tx *store.Tx) pgx.Tx { return openTx{tx.Pgx()} }, pool.Close,
	)
	if err != nil {
		pool.Close()
	}
	return rc, err
}

func newDriverClient[T any](
	ctx context.Context, d riverdriver.Driver[T], c *river.Config, of func(*store.Tx) T, free func(),
) (client, error) {
	m, err := rivermigrate.New(d, &rivermigrate.Config{Logger: c.Logger})
	if err != nil {
		return nil, fmt.Errorf("prepare job tables: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, fmt.Errorf("migrate job tables: %w", err)
	}
	rc, err := river.NewClient(d, c)
	if err != nil {
		return nil, fmt.Errorf("make job client: %w", err)
	}
	return &driverClient[T]{rc, of, free}, nil
}

type pgConn = pgx.Conn

// openTx is a connection, for River, whose transaction database/sql has begun and will end.
type openTx struct{ *pgConn }

var errNotOurs = errors.New("the transaction is ended where it was begun")

func (t openTx) Begin(context.Context) (pgx.Tx, error) { return nil, errNotOurs }
func (t openTx) Commit(context.Context) error          { return errNotOurs }
func (t openTx) Rollback(context.Context) error        { return errNotOurs }
func (t openTx) LargeObjects() pgx.LargeObjects        { return pgx.LargeObjects{} }
func (t openTx) Conn() *pgx.Conn                       { return t.pgConn }
