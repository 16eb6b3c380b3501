package work

import (
	"context"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/gantry-ci/gantry/app/store"
)

const (
	// unwritten is how long an open check may go without a write before the sweeper queues one: retries are over by then,
	// and so is a rate limit.
	unwritten  = 10 * time.Minute
	sweepBatch = 500
)

// sweep owns every open check. Whatever became of the job that should have written it, a check that was not written for
// some minutes is queued again, until GitHub has its conclusion.
func (w *Workers) sweep(ctx context.Context, _ sweepJob, _ *rivertype.JobRow) error {
	return w.sweepBefore(ctx, w.Now().Add(-unwritten))
}

func (w *Workers) sweepBefore(ctx context.Context, before time.Time) error {
	open, err := w.Store.OpenChecks(ctx, before, sweepBatch)
	if err != nil {
		return err
	}
	for _, c := range open {
		err := w.Store.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
			if err := w.Store.TouchCheck(ctx, tx, c.ID); err != nil {
				return err
			}
			return w.writeCheck(ctx, tx, c.ID)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// recover queues again what a crash may have cut off. River itself rescues a job only long after its timeout. A job
// that runs twice does no harm.
func (w *Workers) recover(ctx context.Context) error {
	if err := w.Store.InterruptChecks(ctx); err != nil {
		return err
	}
	guids, err := w.Store.UnhandledDeliveries(ctx)
	if err != nil {
		return err
	}
	for _, guid := range guids {
		if err := w.Store.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
			return w.EnqueueDelivery(ctx, tx, guid)
		}); err != nil {
			return err
		}
	}
	return w.sweepBefore(ctx, w.Now())
}
