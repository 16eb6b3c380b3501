package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"connectrpc.com/connect"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/jobs/rpc"
	"github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
)

// maxHeld is how many leases a heartbeat may name: twice as many as a runner may have targets.
const maxHeld = 2000

// Enroll makes the caller a runner of the lab.
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

// Heartbeat extends the runner's leases.
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

// Append stores bytes of a stream. It extends the lease as a heartbeat does.
func (s *Server) Append(ctx context.Context, r *gantryv1.AppendRequest) (*gantryv1.AppendResponse, error) {
	stream := lab.Stream(r.GetStream())
	switch {
	case !stream.Known():
		return nil, connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("append: no stream is called %.40q", stream))
	case len(r.GetData()) > rpc.MaxAppend:
		return nil, connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("append: more than %d bytes", rpc.MaxAppend))
	}
	c := callerOf(ctx)
	// The lease is accepted before its attempt is written to: an attempt whose lease was never accepted may be withdrawn,
	// and its number used again.
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
	s.appended.WithLabelValues(string(stream.Kind())).Add(float64(len(r.GetData())))
	return &gantryv1.AppendResponse{Acknowledged: size}, nil
}

// Finish ends an attempt.
func (s *Server) Finish(ctx context.Context, r *gantryv1.FinishRequest) (*gantryv1.FinishResponse, error) {
	if err := s.scheduler.Finish(ctx, callerOf(ctx).runner, rpc.GetOutcome(r)); err != nil {
		return nil, s.failure(ctx, err)
	}
	return &gantryv1.FinishResponse{}, nil
}

// Report ends an attempt that a crash of the runner cut off.
func (s *Server) Report(ctx context.Context, r *gantryv1.ReportRequest) (*gantryv1.ReportResponse, error) {
	err := s.scheduler.CutOff(ctx, callerOf(ctx).runner, r.GetLease(), r.GetMessage(), r.GetError())
	if err != nil {
		return nil, s.failure(ctx, err)
	}
	return &gantryv1.ReportResponse{}, nil
}

// failure is the error as the runner gets it. Errors of the app are logged here, and not shown to the runner.
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
