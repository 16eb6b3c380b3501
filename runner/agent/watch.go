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
	// heartbeatTimeout is for one heartbeat: three must fit into the time of a lease.
	heartbeatTimeout = 5 * time.Second
	// heartbeatRetry is the wait after a heartbeat that failed.
	heartbeatRetry = 2 * time.Second
)

var errSilent = errors.New("the app was silent for " + rpc.StreamTimeout.String())

// watch keeps a stream to the app until ctx ends. Assignments that arrive on it are served in life.
func (a *Agent) watch(ctx, life context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		began := time.Now()
		err := a.stream(ctx, life)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > rpc.StreamTimeout {
			n = 0 // the stream had worked
		}
		a.log.WarnContext(ctx, "stream ended", "server", a.o.Server, "code", connect.CodeOf(err).String(), "err", err)
		if !a.wait(ctx, n) {
			return
		}
	}
}

// stream serves one stream, from the announcement to its end.
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
	defer s.Close() //nolint:errcheck // the stream has ended
	for first := true; s.Receive(); first = false {
		silence.Reset(rpc.StreamTimeout)
		if first {
			a.log.InfoContext(ctx, "connected", "server", a.o.Server)
			a.beatNow() // its answer says which leases were lost meanwhile
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

// beatNow makes the next heartbeat due at once.
func (a *Agent) beatNow() {
	select {
	case a.beat <- struct{}{}:
	default:
	}
}

// heartbeats keeps the leases until ctx ends, and announces changes of the targets.
func (a *Agent) heartbeats(ctx context.Context) {
	announced := a.targets()
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
		targets, changed := a.targets(), []lab.Target(nil)
		if !reflect.DeepEqual(targets, announced) {
			changed = targets
		}
		if err := a.heartbeat(ctx, changed); err != nil {
			a.log.WarnContext(ctx, "heartbeat", "err", err)
			wait = heartbeatRetry
		} else {
			announced = targets
		}
		next.Reset(wait)
	}
}

// heartbeat sends a heartbeat, if there are leases to keep or targets to announce.
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

// cancel stops a run that the app has canceled.
func (a *Agent) cancel(c lab.Cancel) {
	if r := a.find(c.Lease); r != nil {
		r.stop(results.Failf(results.ClassCanceled, "%s", lab.Clip(c.Reason)))
	}
}
