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
	// inFlight is how long GitHub may still be delivering a webhook that its log has: it waits 10 s for the answer.
	inFlight = time.Minute
	// overlap is how far behind the last search the next one begins: GitHub's log is not in the order of its clock.
	overlap = 10 * time.Minute

	missedMark = "deliveries"
)

// missed fetches the webhooks that never arrived, since GitHub delivers each only once: those in its log that the store
// does not have. In a new lab, the first search only records where the next one begins.
func (w *Workers) missed(ctx context.Context, _ missedJob, _ *rivertype.JobRow) error {
	now := w.Now()
	mark, err := w.Store.Mark(ctx, missedMark)
	if errors.Is(err, store.ErrNotFound) {
		return w.Store.SetMark(ctx, missedMark, now.UnixMilli())
	}
	if err != nil {
		return err
	}
	since := time.UnixMilli(mark)
	log, err := w.GitHub.Deliveries(ctx, since.Add(-overlap))
	if err != nil {
		return err
	}
	for _, d := range slices.Backward(log) {
		if !trigger.Wants(d.Event) || now.Sub(d.At) < inFlight {
			continue
		}
		if err := w.fetch(ctx, d); err != nil {
			return err
		}
	}
	return w.Store.SetMark(ctx, missedMark, now.Add(-inFlight).UnixMilli())
}

// fetch accepts a webhook from GitHub's log, unless it has arrived.
func (w *Workers) fetch(ctx context.Context, d ghapi.Delivery) error {
	if _, err := w.Store.Delivery(ctx, d.GUID); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	body, err := w.GitHub.Payload(ctx, d)
	if errors.Is(err, ghapi.ErrNotFound) || errors.Is(err, ghapi.ErrInvalid) {
		return nil // it has left GitHub's log meanwhile
	}
	if err != nil {
		return err
	}
	w.Logger.InfoContext(ctx, "missed webhook fetched", "guid", d.GUID, "event", d.Event, "delivered", d.At)
	return w.Store.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		accepted, err := w.Store.AcceptDelivery(ctx, tx, d.GUID, d.Event, body)
		if err != nil || !accepted {
			return err
		}
		return w.EnqueueDelivery(ctx, tx, d.GUID)
	})
}
