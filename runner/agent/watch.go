package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"connectrpc.com/connect"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/jobs/rpc"
	"github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
	"github.com/gantry-ci/gantry/results"
)

const (
	// heartbeatTimeout bounds one heartbeat, so that three fit into a lease's time.
	heartbeatTimeout = 5 * time.Second
	// heartbeatRetry is the wait after one that failed.
	heartbeatRetry = 2 * time.Second
)

var errSilent = errors.New("the app was silent for " + rpc.StreamTimeout.String())

// watch keeps a stream to the app until ctx ends. What comes on it lives in life.
func (a *Agent) watch(ctx, life context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		began := time.Now()
		err := a.stream(ctx, life)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > rpc.StreamTimeout {
			n = 0 // it had worked
		}
		a.log.WarnContext(ctx, "stream ended", "server", a.o.Server, "code", connect.CodeOf(err).String(), "err", err)
		if !a.wait(ctx, n) {
			return
		}
	}
}

// stream is one stream, from the announcement to its end.
func (a *Agent) stream(ctx, life context.Context) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	silence := time.AfterFunc(rpc.StreamTimeout, func() { end(errSilent) })
	defer silence.Stop()
	s, err := a.client.Watch(ctx, rpc.PutAnnouncement(lab.Announcement{
		Version: a.o.Version, Targets: a.targets(), Leases: a.leases(), Repositories: a.o.Repositories,
	}))
	if err != nil {
		return fmt.Errorf("open stream: %w", causeOr(ctx, err))
	}
	defer s.Close() //nolint:errcheck // it is over
	for first := true; s.Receive(); first = false {
		silence.Reset(rpc.StreamTimeout)
		if first {
			a.log.InfoContext(ctx, "connected", "server", a.o.Server)
			a.beatNow() // what was lost meanwhile?
		}
		switch m := rpc.GetMessage(s.Msg()).(type) {
		case lab.Assignment:
			a.assign(life, m)
		case lab.Cancel:
			a.cancel(m)
		}
	}
	if err = s.Err(); err == nil {
		err = io.EOF
	}
	return fmt.Errorf("read stream: %w", causeOr(ctx, err))
}

// causeOr is why ctx ended, or else err.
func causeOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (a *Agent) beatNow() {
	select {
	case a.beat <- struct{}{}:
	default:
	}
}

// heartbeats keeps the leases until ctx ends, and tells what has become of the targets.
func (a *Agent) heartbeats(ctx context.Context) {
	told := a.targets()
	next := time.NewTimer(lab.HeartbeatInterval)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.beat:
		case <-next.C:
		}
		wait := lab.HeartbeatInterval
		targets, news := a.targets(), []lab.Target(nil)
		if !reflect.DeepEqual(targets, told) {
			news = targets
		}
		if err := a.heartbeat(ctx, news); err != nil {
			a.log.WarnContext(ctx, "heartbeat", "err", err)
			wait = heartbeatRetry
		} else {
			told = targets
		}
		next.Reset(wait)
	}
}

// heartbeat is one, if there is anything to say.
func (a *Agent) heartbeat(ctx context.Context, targets []lab.Target) error {
	leases := a.leases()
	if len(leases) == 0 && len(targets) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, heartbeatTimeout)
	defer cancel()
	res, err := a.client.Heartbeat(ctx, &gantryv1.HeartbeatRequest{Leases: leases, Targets: rpc.PutTargets(targets)})
	if err != nil {
		return err
	}
	lost, cancels := rpc.GetHeartbeat(res)
	for _, id := range lost {
		if r := a.find(id); r != nil {
			r.lose()
		}
	}
	for _, c := range cancels {
		a.cancel(c)
	}
	return nil
}

// cancel stops a run because the app says so.
func (a *Agent) cancel(c lab.Cancel) {
	if r := a.find(c.Lease); r != nil {
		r.stop(results.Failf(results.ClassCanceled, "%s", lab.Clip(c.Reason)))
	}
}
