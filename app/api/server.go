// Package api is what the app offers its runners: the handler of package rpc's service, the streams that bring them
// assignments and cancels, and the loop that leases targets and notices lost leases.
//
// The database is the truth. A commit that makes work wakes the loop or a runner's stream at once, in this process; the
// woken one reads what there is to do. Other replicas hear of it through PostgreSQL. A wake that is missed is made up
// for by a look each second. So no stream waits for another, and nothing is queued in memory.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/jobs/rpc"
	"github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
)

// reconcileInterval is how late an expiry may be noticed, or a change that nobody told of.
const reconcileInterval = time.Second

// stallLimit is how long the loop may not have run before the app blames itself for the silence of its runners: its
// machine was suspended, or its clock set.
const stallLimit = 10 * time.Second

const (
	defaultRetention = 90 * 24 * time.Hour // as long as GitHub keeps the logs of Actions
	forgetInterval   = 10 * time.Minute
	forgetRuns       = 50 // at a time: the writer is needed for other things
)

// Options of a server. Store and Blobs are required.
type Options struct {
	Store      *store.Store
	Blobs      *store.Blobs
	Version    string        // of gantry
	Retention  time.Duration // how long completed runs and their logs are kept; 0 is 90 days
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Server serves runners.
type Server struct {
	gantryv1.UnimplementedRunnerServiceHandler
	store   *store.Store
	blobs   *store.Blobs
	version string
	log     *slog.Logger
	metrics metrics

	retention time.Duration
	replica   string
	schedule  chan struct{} // holds one: look at the queue
	streams   streams
	close     sync.Once
	stop      func() // of the subscription
}

// New makes a server on the store. Leases get new time, since none could be kept while no app was there.
func New(ctx context.Context, o Options) (*Server, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		store: o.Store, blobs: o.Blobs, version: o.Version, log: o.Logger,
		replica: uuid.NewString(), schedule: make(chan struct{}, 1),
	}
	if s.retention = o.Retention; s.retention == 0 {
		s.retention = defaultRetention
	}
	s.metrics = newMetrics(o.Registerer, s.streams.count)
	if err := s.store.Restart(ctx); err != nil {
		return nil, err
	}
	s.stop = s.store.Subscribe(func(c store.Change) {
		if c.Queue {
			select {
			case s.schedule <- struct{}{}:
			default:
			}
		}
		if c.Runner != "" {
			s.streams.wake(c.Runner)
		}
	})
	return s, nil
}

// Handler is what to mount, and under which path. The http.Server should allow HTTP/1.1 and HTTP/2, on cleartext as
// well when it is only reached by proxies or loopback.
func (s *Server) Handler() (path string, h http.Handler) {
	path, h = gantryv1.NewRunnerServiceHandler(
		s, connect.WithReadMaxBytes(rpc.MaxMessage), connect.WithCompressMinBytes(4<<10),
	)
	return path, s.authenticated(h)
}

// Run leases targets to runs and notices what is overdue, until ctx ends. It then ends all streams, so that an
// http.Server can shut down.
func (s *Server) Run(ctx context.Context) error {
	var listener sync.WaitGroup
	defer listener.Wait()
	defer s.Close()
	listening, hush := context.WithCancel(ctx)
	defer hush()
	listener.Go(func() { s.listen(listening) })
	tick := time.NewTicker(reconcileInterval)
	defer tick.Stop()
	renewed, looked, forgot := time.Now(), wallClock(), time.Time{}
	for {
		if now := wallClock(); now.Sub(looked) > stallLimit {
			s.log.WarnContext(ctx, "the app stood still", "for", now.Sub(looked))
			s.try(ctx, "forgive leases", s.store.ForgiveLeases)
		}
		looked = wallClock()
		s.try(ctx, "schedule", s.scheduleRuns)
		select {
		case <-ctx.Done():
			return nil
		case <-s.schedule:
			continue
		case <-tick.C:
		}
		s.try(ctx, "expire leases", s.expireLeases)
		s.try(ctx, "expire queue", s.expireQueue)
		s.try(ctx, "wake runners", s.wakeRunners)
		if now := time.Now(); now.Sub(renewed) >= rpc.KeepaliveInterval {
			s.try(ctx, "renew runners", s.renewRunners)
			renewed = now
		}
		if now := time.Now(); now.Sub(forgot) >= forgetInterval {
			s.try(ctx, "forget runs", s.forget)
			forgot = now
		}
	}
}

// wallClock is the time without the monotonic clock, which stands still while a machine is suspended.
func wallClock() time.Time { return time.Now().Round(0) }

// Close ends all streams; runners connect again, to this app's successor.
func (s *Server) Close() {
	s.close.Do(func() {
		s.stop()
		s.streams.close(errClosed)
	})
}

// listen hears what other replicas do, until ctx ends. While it cannot, the looks of each second do.
func (s *Server) listen(ctx context.Context) {
	for ctx.Err() == nil {
		s.try(ctx, "listen", s.store.Listen)
		select {
		case <-ctx.Done():
		case <-time.After(reconcileInterval):
		}
	}
}

// try does one duty of the loop. What goes wrong is logged and tried again in a second.
func (s *Server) try(ctx context.Context, what string, f func(context.Context) error) {
	if err := f(ctx); err != nil && ctx.Err() == nil {
		s.log.ErrorContext(ctx, "api loop", "duty", what, "err", err)
	}
}

func (s *Server) scheduleRuns(ctx context.Context) error {
	n, err := s.store.Schedule(ctx)
	s.metrics.assigned.Add(float64(n))
	return err
}

func (s *Server) expireQueue(ctx context.Context) error {
	_, err := s.store.ExpireQueue(ctx)
	return err
}

// expireLeases ends the attempts of runners that were silent for too long.
func (s *Server) expireLeases(ctx context.Context) error {
	leases, err := s.store.ExpiredLeases(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, l := range leases {
		v, results := s.interrupted(l, "the runner was silent for "+lab.LeaseTimeout.String())
		err := s.store.EndLease(ctx, l.RunnerID, l.ID, store.End{Silent: true, Verdict: v, Results: results})
		switch {
		case errors.Is(err, store.ErrLeaseLost): // kept, or ended, meanwhile
		case err != nil:
			errs = append(errs, err)
		default:
			s.metrics.lost.Inc()
			s.log.WarnContext(ctx, "lease lost", "lease", l.ID, "run", l.RunID, "attempt", l.Attempt, "runner", l.RunnerID)
		}
	}
	return errors.Join(errs...)
}

// forget removes some of the runs that were completed too long ago, with their streams.
func (s *Server) forget(ctx context.Context) error {
	ids, err := s.store.ForgetRuns(ctx, time.Now().Add(-s.retention), forgetRuns)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range ids {
		errs = append(errs, s.blobs.Remove(id))
	}
	return errors.Join(errs...)
}

func (s *Server) wakeRunners(ctx context.Context) error {
	runners, err := s.store.RunnersWithNews(ctx)
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
