package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/jobs/rpc"
	"github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
)

const (
	// sendTimeout is how long a message to a runner that does not read may take; the runner then counts as gone.
	sendTimeout = 20 * time.Second
	// disconnectTimeout is for the write that records the end of a stream. If it fails, the stream runs out by itself.
	disconnectTimeout = 5 * time.Second
)

// Watch serves a runner's stream.
func (s *Server) Watch(
	ctx context.Context, req *gantryv1.WatchRequest, out *connect.ServerStream[gantryv1.WatchResponse],
) error {
	c := callerOf(ctx)
	a, err := rpc.GetAnnouncement(req)
	if err != nil {
		return connect.NewError(connect.CodeInvalidArgument, err)
	}
	out.ResponseHeader().Set("X-Accel-Buffering", "no") // nginx would hold the stream back

	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	session := uuid.NewString()
	st := s.streams.attach(c.runner, session, end)
	defer s.streams.detach(c.runner, st)
	if err := s.store.ConnectRunner(ctx, c.runner, session, s.replica, a); err != nil {
		return s.failure(ctx, err)
	}
	defer s.disconnect(context.WithoutCancel(ctx), c.runner, session)
	s.streams.register(st)
	s.log.InfoContext(
		ctx, "runner connected", "runner", c.name, "version", a.Version, "targets", len(a.Targets), "leases", len(a.Leases),
	)

	w := &watch{server: s, caller: c, out: out, assigned: map[string]bool{}, canceled: map[string]bool{}}
	for _, id := range a.Leases {
		w.assigned[id] = true
	}
	err = w.serve(ctx, st)
	s.log.InfoContext(ctx, "runner disconnected", "runner", c.name, "why", err)
	switch {
	case errors.Is(err, errReplaced):
		return connect.NewError(connect.CodeAborted, err)
	case errors.Is(err, errClosed):
		return connect.NewError(connect.CodeUnavailable, err)
	}
	return s.failure(ctx, err)
}

func (s *Server) disconnect(ctx context.Context, runner, session string) {
	ctx, cancel := context.WithTimeout(ctx, disconnectTimeout)
	defer cancel()
	if err := s.store.DisconnectRunner(ctx, runner, session); err != nil {
		s.log.WarnContext(ctx, "record end of stream", "runner", runner, "err", err)
	}
}

// watch serves one stream.
type watch struct {
	server   *Server
	caller   caller
	out      *connect.ServerStream[gantryv1.WatchResponse]
	assigned map[string]bool // leases that the runner knows
	canceled map[string]bool // those of them that it was told to stop
}

// serve sends what there is to send until the stream ends, and returns why it ended.
func (w *watch) serve(ctx context.Context, st *stream) error {
	keepalive := time.NewTicker(rpc.KeepaliveInterval)
	defer keepalive.Stop()
	alive := rpc.PutKeepalive(lab.Keepalive{Version: w.server.version})
	if err := w.send(alive); err != nil {
		return err
	}
	for {
		if err := w.update(ctx); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-st.wake:
		case <-keepalive.C:
			if err := w.send(alive); err != nil {
				return err
			}
		}
	}
}

// update sends the assignments and cancels that the runner has not got yet.
func (w *watch) update(ctx context.Context) error {
	held, err := w.server.store.HeldLeases(ctx, w.caller.runner)
	if err != nil {
		return err
	}
	now := make(map[string]bool, len(held))
	for _, l := range held {
		now[l.ID] = true
		if !w.assigned[l.ID] {
			a, err := w.server.store.Assignment(ctx, l.ID)
			if errors.Is(err, store.ErrLeaseLost) {
				continue
			}
			if err != nil {
				return err
			}
			if err := w.send(rpc.PutAssignment(a)); err != nil {
				return err
			}
			w.assigned[l.ID] = true
		}
		if l.Cancel != "" && !w.canceled[l.ID] {
			if err := w.send(rpc.PutCancel(lab.Cancel{Lease: l.ID, Reason: l.Cancel})); err != nil {
				return err
			}
			w.canceled[l.ID] = true
		}
	}
	ended := func(id string, _ bool) bool { return !now[id] }
	maps.DeleteFunc(w.assigned, ended)
	maps.DeleteFunc(w.canceled, ended)
	return nil
}

func (w *watch) send(m *gantryv1.WatchResponse) error {
	w.caller.extend(sendTimeout)
	if err := w.out.Send(m); err != nil {
		return fmt.Errorf("send to runner: %w", err)
	}
	return nil
}
