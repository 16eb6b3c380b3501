package app

import (
	"context"
	"errors"
	"time"

	"github.com/gantry-ci/gantry/app/store"
)

// Enroll makes a token with which the runner of that name can enroll within ttl. It opens the database by itself, and
// may be called while the app runs.
func Enroll(ctx context.Context, o Options, name string, ttl time.Duration) (token string, err error) {
	s, err := store.Open(ctx, store.Options{DSN: o.Database})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.NewEnrollment(ctx, name, ttl)
}

// Enrollment makes a token like Enroll, for an app in this process.
func (a *App) Enrollment(ctx context.Context, name string, ttl time.Duration) (token string, err error) {
	return a.store.NewEnrollment(ctx, name, ttl)
}
