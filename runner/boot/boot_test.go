package boot

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gantry-ci/gantry/results"
)

// TestAwait has a watcher end by itself, and one that would go on for hours.
func TestAwait(t *testing.T) {
	for name, c := range map[string]struct {
		takes time.Duration
		class results.Class
	}{
		"in time":  {drainLimit - time.Second, ""},
		"too long": {time.Hour, results.ClassJob},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				watching, start := make(chan struct{}), time.Now()
				go func() {
					defer close(watching)
					select {
					case <-ctx.Done():
					case <-time.After(c.takes):
					}
				}()
				err := await(watching, stop)
				if results.ClassOf(err) != c.class {
					t.Errorf("got %v, want the class %q", err, c.class)
				}
				if took := time.Since(start); took > drainLimit {
					t.Errorf("it took %s", took)
				}
				<-watching
			})
		})
	}
}
