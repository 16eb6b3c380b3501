// Package api is what the app offers its runners: the service of package rpc, and the streams that bring runners their
// assignments and cancels.
//
// The database is the truth. A commit that makes work for a runner wakes its stream, which then reads what there is to
// do; other replicas are notified through PostgreSQL. Each second, a poll finds what a missed notification left. So no
// stream waits for another, and nothing is queued in memory.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/gantry-ci/gantry/app/scheduler"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/internal/clock"
	"github.com/gantry-ci/gantry/jobs/rpc"
	"github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
)

// pollInterval is how late a change may reach a runner of which no notification arrived.
const pollInterval = time.Second

// Options of a server. Store, Blobs and Scheduler are required.
type Options struct {
	Store      *store.Store
	Blobs      *store.Blobs
	Scheduler  *scheduler.Scheduler
	Version    string                // of gantry
	Logger     *slog.Logger          // nil: none
	Registerer prometheus.Registerer // nil: none
}

// Server serves runners.
type Server struct {
	gantryv1.UnimplementedRunnerServiceHandler
	store     *store.Store
	blobs     *store.Blobs
	scheduler *scheduler.Scheduler
	version   string
	log       *slog.Logger
	appended  *prometheus.CounterVec

	replica     string // this process of the app, for as long as it lives
	streams     streams
	close       sync.Once
	unsubscribe func()
}

// New makes a server on the store.
func New(ctx context.Context, o Options) (*Server, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		store: o.Store, blobs: o.Blobs, scheduler: o.Scheduler, version: o.Version, log: o.Logger, replica: uuid.NewString(),
	}
	s.appended = newMetrics(o.Registerer, s.streams.count)
	if err := s.store.ForgetStreams(ctx); err != nil {
		return nil, err
	}
	s.unsubscribe = s.store.Subscribe(func(c store.Change) {
		if c.Runner != "" {
			s.streams.wake(c.Runner)
		}
	})
	return s, nil
}

// Handler is the handler and the path to mount it at. The http.Server should allow HTTP/1.1 and HTTP/2, in clear as
// well where only proxies or loopback reach it.
func (s *Server) Handler() (path string, h http.Handler) {
	path, h = gantryv1.NewRunnerServiceHandler(
		s, connect.WithReadMaxBytes(rpc.MaxMessage), connect.WithCompressMinBytes(4<<10),
	)
	return path, s.authenticated(h)
}

// Run keeps the streams informed until ctx ends. It then ends them, so that an http.Server can shut down.
func (s *Server) Run(ctx context.Context) {
	var listener sync.WaitGroup
	defer listener.Wait()
	defer s.Close()
	listening, stop := context.WithCancel(ctx)
	defer stop()
	listener.Go(func() { s.listen(listening) })
	poll, renew := time.NewTicker(pollInterval), time.NewTicker(rpc.KeepaliveInterval)
	defer poll.Stop()
	defer renew.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
			s.step(ctx, "wake runners", s.wakeRunners)
		case <-renew.C:
			s.step(ctx, "renew runners", s.renewRunners)
		}
	}
}

// Close ends all streams. Runners connect again, to this app's successor.
func (s *Server) Close() {
	s.close.Do(func() {
		s.unsubscribe()
		s.streams.close(errClosed)
	})
}

// listen receives the notifications of other replicas until ctx ends. While it cannot, polling has to do.
func (s *Server) listen(ctx context.Context) {
	for ctx.Err() == nil {
		s.step(ctx, "listen", s.store.Listen)
		_ = clock.Sleep(ctx, pollInterval) // the loop asks for the end of ctx
	}
}

// step does one step of a loop. An error is logged, and the step is repeated.
func (s *Server) step(ctx context.Context, name string, f func(context.Context) error) {
	if err := f(ctx); err != nil && ctx.Err() == nil {
		s.log.ErrorContext(ctx, "serve streams", "step", name, "err", err)
	}
}

func (s *Server) wakeRunners(ctx context.Context) error {
	runners, err := s.store.RunnersToNotify(ctx)
	for _, r := range runners {
		s.streams.wake(r)
	}
	return err
}

// renewRunners keeps this replica's runners connected, and ends streams whose runner has a newer one elsewhere.
func (s *Server) renewRunners(ctx context.Context) error {
	sessions, err := s.store.RenewRunners(ctx, s.replica)
	if err != nil {
		return err
	}
	s.streams.keepOnly(sessions)
	return nil
}
