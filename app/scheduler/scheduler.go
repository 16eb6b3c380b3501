package scheduler

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
)

const (
	// interval is how late an expiry may be noticed, or a change of which the scheduler was not notified.
	interval = time.Second
	// standstill is how long the loop may pause before the app blames itself for the silence of its runners: its machine
	// was suspended, or its clock was set.
	standstill = 10 * time.Second
)

// Options of a scheduler. Store and Blobs are required.
type Options struct {
	Store      *store.Store
	Blobs      *store.Blobs
	Logger     *slog.Logger          // nil: none
	Registerer prometheus.Registerer // nil: none
}

// Scheduler moves runs through the queue.
type Scheduler struct {
	store    *store.Store
	blobs    *store.Blobs
	log      *slog.Logger
	assigned prometheus.Counter
	lost     prometheus.Counter
}

// New makes a scheduler. Leases get their whole time again, since no heartbeat could arrive while the app was down.
func New(ctx context.Context, o Options) (*Scheduler, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Scheduler{
		store: o.Store, blobs: o.Blobs, log: o.Logger,
		assigned: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "gantry_leases_total", Help: "Targets leased to runs.",
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "gantry_leases_lost_total", Help: "Leases lost by silence of their runner.",
		}),
	}
	if o.Registerer != nil {
		err := errors.Join(o.Registerer.Register(s.assigned), o.Registerer.Register(s.lost))
		if err != nil {
			return nil, err
		}
	}
	return s, s.store.ExtendLeases(ctx)
}

// Run schedules until ctx ends.
func (s *Scheduler) Run(ctx context.Context) {
	changed := make(chan struct{}, 1) // holds one: whoever takes it reads all there is
	stop := s.store.Subscribe(func(c store.Change) {
		if !c.Queue {
			return
		}
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	defer stop()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	last := wallClock()
	for {
		now := wallClock()
		if pause := now.Sub(last); pause > standstill {
			s.log.WarnContext(ctx, "the app stood still", "for", pause)
			s.step(ctx, "extend leases", s.store.ExtendLeases)
		}
		last = now
		s.step(ctx, "lease targets", s.leaseTargets)
		select {
		case <-ctx.Done():
			return
		case <-changed:
			continue
		case <-tick.C:
		}
		s.step(ctx, "expire leases", s.expireLeases)
		s.step(ctx, "expire queue", s.expireQueue)
	}
}

// wallClock is the time without the monotonic clock, which stands still while a machine is suspended.
func wallClock() time.Time { return time.Now().Round(0) }

// step does one step of the loop. An error is logged, and the step is repeated within the interval.
func (s *Scheduler) step(ctx context.Context, name string, f func(context.Context) error) {
	if err := f(ctx); err != nil && ctx.Err() == nil {
		s.log.ErrorContext(ctx, "schedule", "step", name, "err", err)
	}
}

func (s *Scheduler) leaseTargets(ctx context.Context) error {
	n, err := s.store.Schedule(ctx)
	s.assigned.Add(float64(n))
	return err
}

func (s *Scheduler) expireQueue(ctx context.Context) error {
	_, err := s.store.ExpireQueue(ctx)
	return err
}

// expireLeases ends the attempts whose runners were silent for too long.
func (s *Scheduler) expireLeases(ctx context.Context) error {
	leases, err := s.store.ExpiredLeases(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, l := range leases {
		end := s.interrupted(l, "the runner was silent for "+lab.LeaseTimeout.String())
		end.Silent = true
		err := s.store.EndLease(ctx, l.RunnerID, l.ID, end)
		switch {
		case errors.Is(err, store.ErrLeaseLost): // it was renewed or ended meanwhile
		case err != nil:
			errs = append(errs, err)
		default:
			s.lost.Inc()
			s.log.WarnContext(ctx, "lease lost", "lease", l.ID, "run", l.RunID, "attempt", l.Attempt, "runner", l.RunnerID)
		}
	}
	return errors.Join(errs...)
}
