package work

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/gantry-ci/gantry/app/store"
)

const (
	// unwritten is how long an open check may go without a write before the sweeper looks at it: a retry and a limit
	// are over by then.
	unwritten  = 10 * time.Minute
	sweepBatch = 500
)

// sweep owns every open check: whatever happened to the job that should have told GitHub, what is not told within
// some minutes is looked at again, until GitHub has its conclusion.
func (q *Queue) sweep(ctx context.Context, _ sweepJob, _ *rivertype.JobRow) error {
	return q.sweepBefore(ctx, q.Now().Add(-unwritten))
}

func (q *Queue) sweepBefore(ctx context.Context, before time.Time) error {
	open, err := q.Store.OpenChecks(ctx, before, sweepBatch)
	if err != nil {
		return err
	}
	for _, c := range open {
		err := q.Store.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
			if err := q.Store.TouchCheck(ctx, tx, c.ID); err != nil {
				return err
			}
			return q.writeCheck(ctx, tx, c.ID)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// recover queues again what a crash may have cut off: River gives a job back only when its time is long over. Jobs do
// no harm when they run twice.
func (q *Queue) recover(ctx context.Context) error {
	if err := q.Store.InterruptChecks(ctx); err != nil {
		return err
	}
	guids, err := q.Store.UnhandledDeliveries(ctx)
	if err != nil {
		return err
	}
	for _, guid := range guids {
		if err := q.Store.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
			return q.Deliver(ctx, tx, guid)
		}); err != nil {
			return err
		}
	}
	return q.sweepBefore(ctx, q.Now())
}

// forget removes what nobody asks for any more.
func (q *Queue) forget(ctx context.Context, _ retentionJob, _ *rivertype.JobRow) error {
	before := q.Now().Add(-q.Retention).UnixMilli()
	_, err := q.Store.ForgetDeliveries(ctx, before)
	return errors.Join(err, q.Store.ForgetChecks(ctx, before))
}
