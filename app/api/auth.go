package api

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
)

// requestTimeout is how long a runner may take to send a request, and the app to answer it.
const requestTimeout = 30 * time.Second

// caller is the runner that makes a call.
type caller struct {
	runner string // id
	name   string
	extend func(time.Duration) // moves the deadline for writing the response
}

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// authenticated admits requests with a runner's credential, before anything of the body is read. Enroll checks its
// token itself.
func (s *Server) authenticated(next http.Handler) http.Handler {
	refusal := connect.NewErrorWriter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		now := time.Now()
		_ = control.SetReadDeadline(now.Add(requestTimeout)) // it fails only for the recorder of a test
		_ = control.SetWriteDeadline(now.Add(requestTimeout))
		if r.URL.Path == gantryv1.RunnerServiceEnrollProcedure {
			next.ServeHTTP(w, r)
			return
		}
		runner, err := s.authenticate(r.Context(), r.Header.Get("Authorization"))
		if err != nil {
			_ = refusal.Write(w, r, err) // it fails when the runner is gone
			return
		}
		if r.URL.Path == gantryv1.RunnerServiceWatchProcedure {
			_ = control.SetReadDeadline(time.Time{}) // it would end the stream
		}
		c := caller{runner: runner.ID, name: runner.Name, extend: func(d time.Duration) {
			_ = control.SetWriteDeadline(time.Now().Add(d))
		}}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
	})
}

func (s *Server) authenticate(ctx context.Context, header string) (store.Runner, error) {
	denied := connect.NewError(connect.CodeUnauthenticated, errors.New("no runner has this credential"))
	id, secret, ok := strings.Cut(strings.TrimPrefix(header, "Bearer "), ".")
	if !ok {
		return store.Runner{}, denied
	}
	r, err := s.store.Runner(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.Runner{}, s.failure(ctx, err)
	}
	// An unknown runner is hashed and compared as well, so that the time does not tell them apart.
	if subtle.ConstantTimeCompare([]byte(store.HashSecret(secret)), []byte(r.SecretHash)) != 1 {
		return store.Runner{}, denied
	}
	return r, nil
}
