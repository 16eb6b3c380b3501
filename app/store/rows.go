package store

import (
	"database/sql"
	"encoding/json"
	"errors"
)

// list is a column of strings.
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

func isNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// notFound is ErrNotFound for no row.
func notFound(err error) error {
	if isNoRows(err) {
		return ErrNotFound
	}
	return err
}
