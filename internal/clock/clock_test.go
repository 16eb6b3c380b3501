package clock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := errors.New("stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		for _, d := range []time.Duration{-1, 0, 3 * time.Second} {
			began := time.Now()
			if err := Sleep(ctx, d); err != nil || time.Since(began) != max(d, 0) {
				t.Errorf("sleep %v: %v after %v", d, err, time.Since(began))
			}
		}
		time.AfterFunc(time.Second, func() { cancel(stop) })
		began := time.Now()
		if err := Sleep(ctx, time.Hour); !errors.Is(err, stop) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
