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

// outcome is how a delivery ends, and what is written with its end.
type outcome struct {
	state  string // of store.Delivery
	reason string
	apply  func(ctx context.Context, tx *store.Tx) (outcome, error) // may end it otherwise, by what it finds; nil: nothing
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

// errEnded undoes a transaction: another try has ended the delivery.
var errEnded = errors.New("the delivery has ended")

// deliver handles a delivery, until it has ended.
func (q *Queue) deliver(ctx context.Context, args deliveryJob, _ *rivertype.JobRow) error {
	d, err := q.Store.Delivery(ctx, args.GUID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // forgotten
	}
	if err != nil {
		return err
	}
	if d.State != store.DeliveryReceived && d.State != store.DeliveryFailed {
		return nil
	}
	out, err := q.handle(ctx, d)
	switch limit := (*ghapi.LimitError)(nil); {
	case errors.As(err, &limit):
		return river.JobSnooze(limit.After) // no fault of the delivery
	case errors.Is(err, ghapi.ErrNotFound), errors.Is(err, ghapi.ErrInvalid):
		out, err = refused("%v", err), nil // it can never succeed
	}
	if err == nil {
		err = q.end(ctx, d, out)
	}
	if err != nil {
		return errors.Join(err, q.Store.FailDelivery(ctx, d.GUID, err.Error()))
	}
	return nil
}

// end writes an outcome, all of it or nothing.
func (q *Queue) end(ctx context.Context, d store.Delivery, out outcome) error {
	err := q.Store.Tx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if out.apply != nil {
			if out, err = out.apply(ctx, tx); err != nil {
				return err
			}
		}
		if first, err := q.Store.EndDelivery(ctx, tx, d.GUID, out.state, out.reason); err != nil || first {
			return err
		}
		return errEnded
	})
	if errors.Is(err, errEnded) {
		return nil
	}
	if err == nil {
		q.ended.WithLabelValues(d.Event, out.state).Inc()
		q.Logger.DebugContext(
			ctx, "delivery ended", "guid", d.GUID, "event", d.Event, "state", out.state, "reason", out.reason,
		)
	}
	return err
}

// handle decides how a delivery ends. It reads GitHub and writes nothing of consequence.
func (q *Queue) handle(ctx context.Context, d store.Delivery) (outcome, error) {
	e, err := trigger.Parse(d.Event, d.Body)
	if err != nil {
		return refused("%v", err), nil
	}
	repo := e.Repository.FullName
	if err := q.Store.RouteDelivery(ctx, d.GUID, e.Action, e.Installation.ID, repo); err != nil {
		return outcome{}, err
	}
	r := trigger.React(e, q.AppID)
	switch {
	case r.Ignored != "":
		return ignored("%s", r.Ignored), nil
	case r.Refused != "":
		return refused("%s", r.Refused), nil
	case !q.Policy.Serves(repo):
		return ignored("this lab does not serve %s", repo), nil
	}
	c := commit{installation: e.Installation.ID, repo: repo}
	if r.Rerun != nil {
		return q.rerun(ctx, c, *r.Rerun)
	}
	return q.pull(ctx, c, *r.Pull)
}
