package work

import (
	"context"
	"errors"
	"fmt"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/gantry-ci/gantry/app/ghapi"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/app/trigger"
)

// outcome is how a delivery ends.
type outcome struct {
	state  string // a state of store.Delivery
	reason string

	// apply writes what the delivery wants, and returns how it ends after all. Nil: there is nothing to write.
	apply func(ctx context.Context, tx *store.Tx) (outcome, error)
}

func ignored(format string, a ...any) outcome {
	return outcome{state: store.DeliveryIgnored, reason: fmt.Sprintf(format, a...)}
}

func refused(format string, a ...any) outcome {
	return outcome{state: store.DeliveryRefused, reason: fmt.Sprintf(format, a...)}
}

func processed(format string, a ...any) outcome {
	return outcome{state: store.DeliveryProcessed, reason: fmt.Sprintf(format, a...)}
}

// errEnded rolls a transaction back: another try has ended the delivery.
var errEnded = errors.New("the delivery has ended")

// deliver handles a delivery and ends it.
func (w *Workers) deliver(ctx context.Context, args deliveryJob, _ *rivertype.JobRow) error {
	d, err := w.Store.Delivery(ctx, args.GUID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	if d.State != store.DeliveryReceived && d.State != store.DeliveryFailed {
		return nil
	}
	out, err := w.handle(ctx, d)
	switch limit := (*ghapi.LimitError)(nil); {
	case errors.As(err, &limit):
		return river.JobSnooze(limit.After) // no fault of the delivery
	case errors.Is(err, ghapi.ErrNotFound), errors.Is(err, ghapi.ErrInvalid):
		out, err = refused("%v", err), nil // no retry can succeed
	}
	if err == nil {
		err = w.end(ctx, d, out)
	}
	if err != nil {
		return errors.Join(err, w.Store.FailDelivery(ctx, d.GUID, err.Error()))
	}
	return nil
}

// end writes an outcome in one transaction.
func (w *Workers) end(ctx context.Context, d store.Delivery, out outcome) error {
	err := w.Store.Tx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if out.apply != nil {
			if out, err = out.apply(ctx, tx); err != nil {
				return err
			}
		}
		if first, err := w.Store.EndDelivery(ctx, tx, d.GUID, out.state, out.reason); err != nil || first {
			return err
		}
		return errEnded
	})
	if errors.Is(err, errEnded) {
		return nil
	}
	if err == nil {
		w.ended.WithLabelValues(d.Event, out.state).Inc()
		w.Logger.DebugContext(
			ctx, "delivery ended", "guid", d.GUID, "event", d.Event, "state", out.state, "reason", out.reason,
		)
	}
	return err
}

// handle decides how a delivery ends. It reads from GitHub; of the database it changes only what the delivery is about.
func (w *Workers) handle(ctx context.Context, d store.Delivery) (outcome, error) {
	e, err := trigger.Parse(d.Event, d.Body)
	if err != nil {
		return refused("%v", err), nil
	}
	repo := e.Repository.FullName
	if err := w.Store.RouteDelivery(ctx, d.GUID, e.Action, e.Installation.ID, repo); err != nil {
		return outcome{}, err
	}
	r := trigger.React(e, w.AppID)
	switch {
	case r.Ignored != "":
		return ignored("%s", r.Ignored), nil
	case r.Refused != "":
		return refused("%s", r.Refused), nil
	case !w.Policy.Serves(repo):
		return ignored("this lab does not serve %s", repo), nil
	}
	c := commit{installation: e.Installation.ID, repo: repo}
	if r.Rerun != nil {
		return w.rerun(ctx, c, *r.Rerun)
	}
	return w.pullRequest(ctx, c, *r.Pull)
}
