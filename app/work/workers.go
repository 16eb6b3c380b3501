package work

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/gantry-ci/gantry/app/checks"
	"github.com/gantry-ci/gantry/app/ghapi"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/app/trigger"
)

const (
	fetchCooldown = 20 * time.Millisecond // between fetches of jobs: the latency of a busy queue
	pollInterval  = time.Second           // of fetches when a notification was lost
	softStop      = 10 * time.Second      // for jobs in progress when the app stops; then their requests are cut
	jobTimeout    = 2 * time.Minute       // of any job: a few requests of 20 s at most each
	rescueAfter   = 5 * time.Minute       // of a job whose process died; recover queues it sooner

	deliveryWorkers = 8
	checkWorkers    = 8
	upkeepWorkers   = 2

	deliveryTries = 12 // about 5 h; then the delivery stays failed until it is redelivered
	checkTries    = 8  // about 20 minutes; then the sweeper queues the check again
	firstRetry    = 2 * time.Second
	lastRetry     = time.Hour

	sweepInterval = time.Minute
)

// Options of the workers. All but Retention and Now are required.
type Options struct {
	Store      *store.Store
	Blobs      *store.Blobs
	DSN        string // of the store, for River's own connections on PostgreSQL
	GitHub     *ghapi.App
	AppID      int64
	Checks     *checks.Writer
	Policy     trigger.Policy
	Retention  time.Duration // how long handled deliveries are kept; 0 is 30 days
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time // nil is the wall clock
}

// Workers run the app's control steps.
type Workers struct {
	Options
	client  client
	started bool
	ended   *prometheus.CounterVec
}

// New makes the workers, and creates or migrates River's tables. Jobs can be queued at once; they run after Start.
func New(ctx context.Context, o Options) (*Workers, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Retention == 0 {
		o.Retention = defaultRetention
	}
	w := &Workers{Options: o, ended: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gantry_deliveries_ended_total", Help: "Handled webhook deliveries by how they ended.",
	}, []string{"event", "state"})}
	if err := o.Registerer.Register(w.ended); err != nil {
		return nil, err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker[deliveryJob]{run: w.deliver})
	river.AddWorker(workers, &worker[checkJob]{run: w.write})
	river.AddWorker(workers, &worker[sweepJob]{run: w.sweep})
	river.AddWorker(workers, &worker[retentionJob]{run: w.forget})
	river.AddWorker(workers, &worker[missedJob]{run: w.missed})
	var err error
	w.client, err = newClient(ctx, o.Store, o.DSN, &river.Config{
		FetchCooldown: fetchCooldown, FetchPollInterval: pollInterval, JobTimeout: jobTimeout, SoftStopTimeout: softStop,
		RescueStuckJobsAfter: rescueAfter, Logger: warningsOf(o.Logger), Workers: workers,
		Queues: map[string]river.QueueConfig{
			deliveries: {MaxWorkers: deliveryWorkers}, checkWrites: {MaxWorkers: checkWorkers},
			upkeep: {MaxWorkers: upkeepWorkers},
		},
		PeriodicJobs: []*river.PeriodicJob{
			periodic(sweepInterval, sweepJob{}), periodic(retentionInterval, retentionJob{}),
			periodic(missedInterval, missedJob{}),
		},
	})
	return w, err
}

func periodic(every time.Duration, args river.JobArgs) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(every),
		func() (river.JobArgs, *river.InsertOpts) { return args, &river.InsertOpts{MaxAttempts: 1} },
		&river.PeriodicJobOpts{RunOnStart: true})
}

// Start runs jobs until Stop. Those that a crash cut off are queued again first.
func (w *Workers) Start(ctx context.Context) error {
	if err := w.recover(ctx); err != nil {
		return err
	}
	if err := w.client.start(ctx); err != nil {
		return fmt.Errorf("start jobs: %w", err)
	}
	w.started = true
	return nil
}

// Stop waits for the jobs in progress, and closes what New opened. A job that it cuts off runs again after the next
// start.
func (w *Workers) Stop(ctx context.Context) error {
	defer w.client.close()
	if !w.started {
		return nil
	}
	return w.client.stop(ctx)
}

// EnqueueDelivery queues the handling of a delivery.
func (w *Workers) EnqueueDelivery(ctx context.Context, tx *store.Tx, guid string) error {
	return w.client.insert(ctx, tx, deliveryJob{guid}, &river.InsertOpts{Queue: deliveries, MaxAttempts: deliveryTries})
}

// RunChanged queues the write of the check that shows the run.
func (w *Workers) RunChanged(ctx context.Context, tx *store.Tx, runID string) error {
	id, err := w.Store.TouchCheckOf(ctx, tx, runID)
	if err != nil || id == "" {
		return err
	}
	return w.writeCheck(ctx, tx, id)
}

func (w *Workers) writeCheck(ctx context.Context, tx *store.Tx, check string) error {
	return w.client.insert(ctx, tx, checkJob{check}, &river.InsertOpts{Queue: checkWrites, MaxAttempts: checkTries})
}

// worker adapts a function to River.
type worker[T river.JobArgs] struct {
	river.WorkerDefaults[T]
	run func(ctx context.Context, args T, row *rivertype.JobRow) error
}

// Work runs the job.
func (w *worker[T]) Work(ctx context.Context, j *river.Job[T]) error {
	return w.run(ctx, j.Args, j.JobRow)
}

// NextRetry doubles the wait from try to try, and spreads jobs that failed together.
func (w *worker[T]) NextRetry(j *river.Job[T]) time.Time {
	d := min(firstRetry<<min(j.Attempt, 16), lastRetry)
	return time.Now().Add(d/2 + rand.N(d))
}

// write updates a check at GitHub.
func (w *Workers) write(ctx context.Context, args checkJob, _ *rivertype.JobRow) error {
	again, err := w.Checks.Write(ctx, args.Check)
	if err != nil {
		return err
	}
	if again > 0 {
		return river.JobSnooze(again)
	}
	return nil
}
