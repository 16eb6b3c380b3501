package store

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"
)

// dialect is where SQLite and PostgreSQL differ.
type dialect struct {
	driver     string
	goose      goose.Dialect
	skipLocked string // of a SELECT that picks work for one of several writers
	forUpdate  string // of a SELECT whose rows must stay as they are until the transaction ends
}

func sqlite() dialect { return dialect{driver: "sqlite", goose: goose.DialectSQLite3} }

func postgres() dialect {
	return dialect{
		driver: "pgx", goose: goose.DialectPostgres, skipLocked: "FOR UPDATE SKIP LOCKED", forUpdate: "FOR UPDATE",
	}
}

// IsPostgres says whether dsn names a PostgreSQL database; anything else is the path of a SQLite file.
func IsPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// sqliteURI is the address of the file at path for the modernc driver. Its writer takes the lock when a transaction
// begins, so that one never fails half way, and syncs each commit: a delivery answered 202 survives a power cut.
func sqliteURI(path string, readOnly bool) (string, error) {
	abs, err := filepath.Abs(strings.TrimPrefix(path, "sqlite://"))
	if err != nil {
		return "", fmt.Errorf("resolve database path %q: %w", path, err)
	}
	q := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()), "journal_mode(WAL)", "synchronous(FULL)",
		"foreign_keys(ON)",
	}}
	if readOnly {
		q.Add("_pragma", "query_only(ON)")
	} else {
		q.Set("_txlock", "immediate")
	}
	return (&url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}).String(), nil
}
