package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	busyTimeout    = 5 * time.Second // of waiting for another process on the SQLite file: a backup, a shell
	sqliteReaders  = 4               // WAL readers never wait for the writer
	postgresConns  = 16              // of one replica
	migrateTimeout = 5 * time.Minute // enough for a large table; after it, something is wrong with the database
)

// ErrNotFound is returned for a row that does not exist.
var ErrNotFound = errors.New("not found")

// Options of a store.
type Options struct {
	DSN string // the path of a SQLite file, or postgres://…

	// Now is the clock; nil is the wall clock.
	Now func() time.Time

	// RunChanged is called in the transaction that changes a run or what is shown of it. An error rolls it back.
	RunChanged func(ctx context.Context, tx *Tx, runID string) error
}

// Store is the lab's state. It is safe for concurrent use.
type Store struct {
	db         *sql.DB // on SQLite, the only connection that writes
	ro         *sql.DB // for reads; on PostgreSQL the same pool
	dialect    dialect
	clock      func() time.Time
	runChanged func(ctx context.Context, tx *Tx, runID string) error
	changes    subscribers
}

// Open opens the database and brings its schema up to date.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{clock: o.Now, runChanged: o.RunChanged}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.runChanged == nil {
		s.runChanged = func(context.Context, *Tx, string) error { return nil }
	}
	open := s.openSQLite
	if IsPostgres(o.DSN) {
		open = s.openPostgres
	}
	if err := open(o.DSN); err != nil {
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) openSQLite(path string) error {
	s.dialect = sqlite()
	for _, p := range []struct {
		db    **sql.DB
		ro    bool
		conns int
	}{{&s.db, false, 1}, {&s.ro, true, sqliteReaders}} {
		uri, err := sqliteURI(path, p.ro)
		if err != nil {
			return err
		}
		db, err := sql.Open(s.dialect.driver, uri)
		if err != nil {
			return fmt.Errorf("open database %q: %w", path, err)
		}
		db.SetMaxOpenConns(p.conns)
		*p.db = db
	}
	return nil
}

func (s *Store) openPostgres(dsn string) error {
	s.dialect = postgres()
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return fmt.Errorf("read database address: %w", err) // pgx leaves the password out
	}
	s.db = stdlib.OpenDB(*c)
	s.db.SetMaxOpenConns(postgresConns)
	s.ro = s.db
	return nil
}

func (s *Store) migrate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, migrateTimeout)
	defer cancel()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	p, err := goose.NewProvider(
		s.dialect.goose, s.db, files, goose.WithAllowOutofOrder(true), goose.WithDisableGlobalRegistry(true),
	)
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	return nil
}

// Close closes the database.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.ro, s.db} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Writer is the pool that writes. On SQLite it has one connection, which a transaction holds.
func (s *Store) Writer() *sql.DB { return s.db }

// Postgres says whether the database is PostgreSQL.
func (s *Store) Postgres() bool { return s.dialect.goose == goose.DialectPostgres }

// nowMS is the time in epoch milliseconds, as rows hold it.
func (s *Store) nowMS() int64 { return s.clock().UnixMilli() }
