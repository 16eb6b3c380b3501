package api

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"connectrpc.com/connect"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/jobs/rpc"
	"github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
	"github.com/gantry-ci/gantry/results"
)

// maxHeld is how many leases a heartbeat may name: more than a runner may have targets is nonsense.
const maxHeld = 2000

// Enroll makes the caller a runner.
func (s *Server) Enroll(ctx context.Context, r *gantryv1.EnrollRequest) (*gantryv1.EnrollResponse, error) {
	if err := rpc.CheckName(r.GetName()); err != nil {
		return nil, connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("enroll runner: %w", err))
	}
	if b, err := hex.DecodeString(r.GetSecretHash()); err != nil || len(b) != 32 ||
		hex.EncodeToString(b) != r.GetSecretHash() {
		return nil, connect.NewError(
			connect.CodeInvalidArgument, errors.New("enroll runner: the secret's hash is SHA-256 in lower-case hex"),
		)
	}
	id, err := s.store.Enroll(ctx, r.GetToken(), r.GetName(), r.GetSecretHash())
	if err != nil {
		return nil, s.failure(ctx, err)
	}
	s.log.InfoContext(ctx, "runner enrolled", "runner", r.GetName(), "id", id)
	return &gantryv1.EnrollResponse{Runner: id}, nil
}

// Heartbeat keeps the runner's leases.
func (s *Server) Heartbeat(ctx context.Context, r *gantryv1.HeartbeatRequest) (*gantryv1.HeartbeatResponse, error) {
	if len(r.GetLeases()) > maxHeld {
		return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("keep leases: too many"))
	}
	c := callerOf(ctx)
	if len(r.GetTargets()) > 0 {
		targets, err := rpc.GetTargets(r.GetTargets())
		if err != nil {
			return nil, connect.NewError(connect.CodeInvalidArgument, err)
		}
		if err := s.store.PutTargets(ctx, c.runner, targets); err != nil {
			return nil, s.failure(ctx, err)
		}
	}
	lost, cancels, err := s.store.KeepLeases(ctx, c.runner, r.GetLeases())
	if err != nil {
		return nil, s.failure(ctx, err)
	}
	return rpc.PutHeartbeat(lost, cancels), nil
}

// Append stores bytes of a stream. That, too, shows that the runner lives.
func (s *Server) Append(ctx context.Context, r *gantryv1.AppendRequest) (*gantryv1.AppendResponse, error) {
	stream := lab.Stream(r.GetStream())
	switch {
	case !stream.Known():
		return nil, connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("append: no stream is called %.40q", stream))
	case len(r.GetData()) > rpc.MaxAppend:
		return nil, connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("append: more than %d bytes", rpc.MaxAppend))
	}
	c := callerOf(ctx)
	// Kept before it is written to: only a lease that was never heard of may be forgotten, its attempt's number with it.
	lost, _, err := s.store.KeepLeases(ctx, c.runner, []string{r.GetLease()})
	if err == nil && len(lost) > 0 {
		err = store.ErrLeaseLost
	}
	if err != nil {
		return nil, s.failure(ctx, err)
	}
	l, err := s.store.HeldLease(ctx, c.runner, r.GetLease())
	if err != nil {
		return nil, s.failure(ctx, err)
	}
	size, err := s.blobs.Append(l.RunID, l.Attempt, stream, r.GetOffset(), r.GetData())
	if err != nil {
		return nil, s.failure(ctx, err)
	}
	s.metrics.appended.WithLabelValues(string(stream)).Add(float64(len(r.GetData())))
	return &gantryv1.AppendResponse{Acknowledged: size}, nil
}

// Finish ends an attempt.
func (s *Server) Finish(ctx context.Context, r *gantryv1.FinishRequest) (*gantryv1.FinishResponse, error) {
	o := rpc.GetOutcome(r)
	c := callerOf(ctx)
	var end store.End
	l, err := s.store.HeldLease(ctx, c.runner, o.Lease)
	switch {
	case err == nil:
		if end, err = s.settled(l, o); err != nil {
			return nil, s.failure(ctx, err)
		}
	case !errors.Is(err, store.ErrLeaseLost):
		return nil, s.failure(ctx, err)
	}
	if err := s.store.EndLease(ctx, c.runner, o.Lease, end); err != nil {
		return nil, s.failure(ctx, err)
	}
	s.log.InfoContext(
		ctx, "attempt ended", "run", l.RunID, "attempt", l.Attempt, "verdict", end.Verdict.Verdict, "class",
		string(end.Verdict.Class),
	)
	return &gantryv1.FinishResponse{}, nil
}

// settled is how an attempt ends of which the runner says o, measured by the record that arrived.
func (s *Server) settled(l store.Lease, o lab.Outcome) (store.End, error) {
	sizes := map[lab.Stream]int64{}
	for _, stream := range lab.Streams() {
		size, err := s.blobs.Sync(l.RunID, l.Attempt, stream)
		if err != nil {
			return store.End{}, err
		}
		sizes[stream] = size
	}
	res, lost, err := s.blobs.Results(l.RunID, l.Attempt)
	if err != nil {
		return store.End{}, err
	}
	cut := ""
	switch has, wants := sizes[lab.Events], o.Sizes[lab.Events]; {
	case has < wants:
		cut = fmt.Sprintf("%d of %d bytes of the run's events arrived", has, wants)
	case lost > 0:
		cut = fmt.Sprintf("the run's events have %d gaps", lost)
	}
	if has, wants := sizes[lab.Console], o.Sizes[lab.Console]; has < wants { // evidence, not the record
		s.log.Warn("console cut", "run", l.RunID, "attempt", l.Attempt, "bytes", has, "of", wants)
	}
	res.Verdict = settle(o, res.Verdict, cut)
	b, err := json.Marshal(res)
	if err != nil {
		return store.End{}, fmt.Errorf("write results: %w", err)
	}
	return store.End{Verdict: res.Verdict, Results: b}, nil
}

// Report ends an attempt that the runner's crash cut off.
func (s *Server) Report(ctx context.Context, r *gantryv1.ReportRequest) (*gantryv1.ReportResponse, error) {
	c := callerOf(ctx)
	end := store.End{Bad: r.GetError() != ""}
	l, err := s.store.HeldLease(ctx, c.runner, r.GetLease())
	switch {
	case err == nil:
		why := "the runner was restarted during the run: " + r.GetMessage()
		if end.Bad {
			why += "; not taken back: " + r.GetError()
		}
		end.Verdict, end.Results = s.interrupted(l, why)
	case !errors.Is(err, store.ErrLeaseLost):
		return nil, s.failure(ctx, err)
	}
	if err := s.store.EndLease(ctx, c.runner, r.GetLease(), end); err != nil {
		return nil, s.failure(ctx, err)
	}
	s.log.WarnContext(
		ctx, "attempt cut off", "run", l.RunID, "attempt", l.Attempt, "runner", c.name, "found", lab.Clip(r.GetMessage()),
		"left", lab.Clip(r.GetError()),
	)
	return &gantryv1.ReportResponse{}, nil
}

// interrupted is the verdict and the results of an attempt that the lab broke off.
func (s *Server) interrupted(l store.Lease, why string) (results.Verdict, []byte) {
	v := labFault(why)
	res, _, err := s.blobs.Results(l.RunID, l.Attempt)
	if err != nil {
		s.log.Error("read results of a lost attempt", "run", l.RunID, "attempt", l.Attempt, "err", err)
		res = results.NewResults()
	}
	res.Verdict = v
	b, err := json.Marshal(res)
	if err != nil {
		s.log.Error("write results of a lost attempt", "run", l.RunID, "attempt", l.Attempt, "err", err)
	}
	return v, b
}

// failure is err as the wire tells it. What a runner cannot help is logged here, and not told.
func (s *Server) failure(ctx context.Context, err error) error {
	var known *connect.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, store.ErrLeaseLost):
		return connect.NewError(connect.CodeFailedPrecondition, store.ErrLeaseLost)
	case errors.Is(err, store.ErrRefused):
		return connect.NewError(connect.CodePermissionDenied, err)
	case errors.Is(err, store.ErrTooLarge):
		return connect.NewError(connect.CodeResourceExhausted, store.ErrTooLarge)
	case ctx.Err() != nil:
		return connect.NewError(connect.CodeCanceled, ctx.Err())
	}
	s.log.ErrorContext(ctx, "serve runner", "runner", callerOf(ctx).name, "err", err)
	return connect.NewError(connect.CodeUnavailable, errors.New("the app cannot do this now; try again"))
}
