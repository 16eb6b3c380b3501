package app

import (
	"context"
	"time"
)

// Enrollment makes a token with which the runner of that name can enroll within ttl.
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
