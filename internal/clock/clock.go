// Package clock waits, as long as somebody still wants the result.
package clock

import (
	"context"
	"time"
)

// Sleep waits for d, or until ctx ends: then it returns its cause. Without a duration it returns at once, with nil.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
