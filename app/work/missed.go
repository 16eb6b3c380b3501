package work

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/gantry-ci/gantry/app/ghapi"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/app/trigger"
)

const (
	missedInterval = 5 * time.Minute
	// inFlight is how long GitHub may still be delivering what its log has: it waits 10 s for the answer.
	inFlight = time.Minute
	// overlap is how far a look goes back behind the one before: GitHub's log is not in the order of its clock.
	overlap = 10 * time.Minute

	missedMark = "deliveries"
)

// missed fetches the webhooks that never arrived, as GitHub delivers each only once: those of its log that the store
// does not know. The first look of a new lab only notes where it begins.
func (q *Queue) missed(ctx context.Context, _ missedJob, _ *rivertype.JobRow) error {
	now := q.Now()
	mark, err := q.Store.Mark(ctx, missedMark)
	if errors.Is(err, store.ErrNotFound) {
		return q.Store.SetMark(ctx, missedMark, now.UnixMilli())
	}
	if err != nil {
		return err
	}
	since := time.UnixMilli(mark)
	log, err := q.GitHub.Deliveries(ctx, since.Add(-overlap))
	if err != nil {
		return err
	}
	for _, d := range slices.Backward(log) {
		if !trigger.Wants(d.Event) || now.Sub(d.At) < inFlight {
			continue
		}
		if err := q.fetch(ctx, d); err != nil {
			return err
		}
	}
	return q.Store.SetMark(ctx, missedMark, now.Add(-inFlight).UnixMilli())
}

// fetch accepts a webhook from GitHub's log, unless it has arrived.
func (q *Queue) fetch(ctx context.Context, d ghapi.Delivery) error {
	if _, err := q.Store.Delivery(ctx, d.GUID); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	body, err := q.GitHub.Payload(ctx, d)
	if errors.Is(err, ghapi.ErrNotFound) || errors.Is(err, ghapi.ErrInvalid) {
		return nil // GitHub has forgotten it meanwhile
	}
	if err != nil {
		return err
	}
	q.Logger.InfoContext(ctx, "missed webhook fetched", "guid", d.GUID, "event", d.Event, "delivered", d.At)
	return q.Store.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		taken, err := q.Store.AcceptDelivery(ctx, tx, d.GUID, d.Event, body)
		if err != nil || !taken {
			return err
		}
		return q.Deliver(ctx, tx, d.GUID)
	})
}
