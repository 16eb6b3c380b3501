package work

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river/rivertype"
)

const (
	retentionInterval = 10 * time.Minute
	// defaultRetention of deliveries is the 3 days for which GitHub keeps them, and time to find out what happened.
	defaultRetention = 30 * 24 * time.Hour
	// runRetention of completed runs and their logs is as long as GitHub keeps the logs of Actions.
	runRetention = 90 * 24 * time.Hour
	// forgetRuns is how many runs are deleted at a time: other work needs the database, too.
	forgetRuns = 50
)

// forget deletes rows and logs that have been kept for long enough. Runs go first: a check stays as long as its runs.
func (w *Workers) forget(ctx context.Context, _ retentionJob, _ *rivertype.JobRow) error {
	before := w.Now().Add(-w.Retention).UnixMilli()
	errs := []error{w.forgetRuns(ctx)}
	_, err := w.Store.ForgetDeliveries(ctx, before)
	return errors.Join(append(errs, err, w.Store.ForgetChecks(ctx, before))...)
}

// forgetRuns deletes some of the runs that were completed too long ago, with their streams.
func (w *Workers) forgetRuns(ctx context.Context) error {
	ids, err := w.Store.ForgetRuns(ctx, w.Now().Add(-runRetention), forgetRuns)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range ids {
		errs = append(errs, w.Blobs.Remove(id))
	}
	return errors.Join(errs...)
}
