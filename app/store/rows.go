package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"
)

// list is a list of strings as a column holds it.
func list(v []string) string {
	if len(v) == 0 {
		return "[]"
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(b)
}

func scanString(r scanner) (v string, err error) { err = r.Scan(&v); return v, err }

func scanInt(r scanner) (v int64, err error) { err = r.Scan(&v); return v, err }

// epochMS is a time as a column holds it; the zero time is 0.
func epochMS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func isNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// notFound turns the error of a query without a row into ErrNotFound.
func notFound(err error) error {
	if isNoRows(err) {
		return ErrNotFound
	}
	return err
}
