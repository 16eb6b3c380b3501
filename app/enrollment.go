package app

import (
	"context"
	"errors"
	"time"

	"github.com/gantry-ci/gantry/app/store"
)

// Enroll makes a token with which the runner of that name can enroll within ttl. It opens the database for that alone,
// so that it may be called beside a running app.
func Enroll(ctx context.Context, o Options, name string, ttl time.Duration) (token string, err error) {
	s, err := store.Open(ctx, store.Options{DSN: o.Database, RunChanged: func(context.Context, *store.Tx, string) error {
		return nil
	}})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.NewEnrolment(ctx, name, ttl)
}

// Enrollment is Enroll for an app in this process.
func (a *App) Enrollment(ctx context.Context, name string, ttl time.Duration) (token string, err error) {
	return a.store.NewEnrolment(ctx, name, ttl)
}

// Wait waits until ctx ends, or something fails that cannot be mended.
func (a *App) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-a.failed:
		return err
	}
}
