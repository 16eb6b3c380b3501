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
	driver    string
	goose     goose.Dialect
	forUpdate string // ends a SELECT whose rows must not change until the transaction ends
}

func sqlite() dialect { return dialect{driver: "sqlite", goose: goose.DialectSQLite3} }

func postgres() dialect {
	return dialect{
		driver: "pgx", goose: goose.DialectPostgres, forUpdate: "FOR UPDATE",
	}
}

// IsPostgres says whether dsn names a PostgreSQL database; anything else is the path of a SQLite file.
func IsPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// sqliteURI is the address of the file at path for the modernc driver. A writing transaction takes the lock when it
// begins, so that it never fails half way. Each commit is synced, so that a delivery answered 202 survives a power cut.
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
