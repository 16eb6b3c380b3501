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
	fetchCooldown = 20 * time.Millisecond // between fetches: the latency of a busy queue
	pollInterval  = time.Second           // when a notification is lost
	softStop      = 10 * time.Second      // for jobs in progress when the app stops; then their requests are cut
	jobTimeout    = 2 * time.Minute       // of any job: a few requests of 20 s at most each
	rescueAfter   = 5 * time.Minute       // a job whose process died; recover has it back sooner

	deliveryWorkers = 8
	checkWorkers    = 8
	upkeepWorkers   = 2

	deliveryTries = 12 // about 5 h; then the delivery stays failed until it is redelivered
	checkTries    = 8  // about 20 minutes; then the sweeper comes
	firstRetry    = 2 * time.Second
	lastRetry     = time.Hour

	sweepInterval     = time.Minute
	retentionInterval = time.Hour
)

// Options of a queue. All but Now are required.
type Options struct {
	Store      *store.Store
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

// Queue runs the app's control steps.
type Queue struct {
	Options
	engine  engine
	started bool
	ended   *prometheus.CounterVec
}

// defaultRetention is what GitHub keeps deliveries, 3 days, and time to look into what happened.
const defaultRetention = 30 * 24 * time.Hour

// New makes the queue and its tables. Jobs can be queued at once; they run after Start.
func New(ctx context.Context, o Options) (*Queue, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Retention == 0 {
		o.Retention = defaultRetention
	}
	q := &Queue{Options: o, ended: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gantry_deliveries_ended_total", Help: "Handled webhook deliveries by how they ended.",
	}, []string{"event", "state"})}
	if err := o.Registerer.Register(q.ended); err != nil {
		return nil, err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker[deliveryJob]{run: q.deliver})
	river.AddWorker(workers, &worker[checkJob]{run: q.write})
	river.AddWorker(workers, &worker[sweepJob]{run: q.sweep})
	river.AddWorker(workers, &worker[retentionJob]{run: q.forget})
	river.AddWorker(workers, &worker[missedJob]{run: q.missed})
	var err error
	q.engine, err = newEngine(ctx, o.Store, o.DSN, &river.Config{
		FetchCooldown: fetchCooldown, FetchPollInterval: pollInterval, JobTimeout: jobTimeout, SoftStopTimeout: softStop,
		RescueStuckJobsAfter: rescueAfter,
		Logger:               quiet(o.Logger), Workers: workers,
		Queues: map[string]river.QueueConfig{
			deliveries: {MaxWorkers: deliveryWorkers}, checkWrites: {MaxWorkers: checkWorkers},
			upkeep: {MaxWorkers: upkeepWorkers},
		},
		PeriodicJobs: []*river.PeriodicJob{
			periodic(sweepInterval, sweepJob{}), periodic(retentionInterval, retentionJob{}),
			periodic(missedInterval, missedJob{}),
		},
	})
	return q, err
}

func periodic(every time.Duration, args river.JobArgs) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(every),
		func() (river.JobArgs, *river.InsertOpts) { return args, &river.InsertOpts{MaxAttempts: 1} },
		&river.PeriodicJobOpts{RunOnStart: true})
}

// Start runs jobs until Stop, those first that a crash cut off.
func (q *Queue) Start(ctx context.Context) error {
	if err := q.recover(ctx); err != nil {
		return err
	}
	if err := q.engine.start(ctx); err != nil {
		return fmt.Errorf("start jobs: %w", err)
	}
	q.started = true
	return nil
}

// Stop waits for the jobs in progress, and frees what New took. What it cuts off runs again after the next start.
func (q *Queue) Stop(ctx context.Context) error {
	defer q.engine.close()
	if !q.started {
		return nil
	}
	return q.engine.stop(ctx)
}

// Deliver queues the handling of a delivery.
func (q *Queue) Deliver(ctx context.Context, tx *store.Tx, guid string) error {
	return q.engine.insert(ctx, tx, deliveryJob{guid}, &river.InsertOpts{Queue: deliveries, MaxAttempts: deliveryTries})
}

// RunChanged queues the write of the check that shows the run.
func (q *Queue) RunChanged(ctx context.Context, tx *store.Tx, runID string) error {
	id, err := q.Store.TouchCheckOf(ctx, tx, runID)
	if err != nil || id == "" {
		return err
	}
	return q.writeCheck(ctx, tx, id)
}

func (q *Queue) writeCheck(ctx context.Context, tx *store.Tx, check string) error {
	return q.engine.insert(ctx, tx, checkJob{check}, &river.InsertOpts{Queue: checkWrites, MaxAttempts: checkTries})
}

// worker is a function as River wants it.
type worker[T river.JobArgs] struct {
	river.WorkerDefaults[T]
	run func(ctx context.Context, args T, row *rivertype.JobRow) error
}

// Work runs the job.
func (w *worker[T]) Work(ctx context.Context, j *river.Job[T]) error {
	return w.run(ctx, j.Args, j.JobRow)
}

// NextRetry doubles the pause from try to try, and spreads what failed together.
func (w *worker[T]) NextRetry(j *river.Job[T]) time.Time {
	d := min(firstRetry<<min(j.Attempt, 16), lastRetry)
	return time.Now().Add(d/2 + rand.N(d))
}

// write brings a check up to date at GitHub.
func (q *Queue) write(ctx context.Context, args checkJob, _ *rivertype.JobRow) error {
	again, err := q.Checks.Write(ctx, args.Check)
	if err != nil {
		return err
	}
	if again > 0 {
		return river.JobSnooze(again)
	}
	return nil
}
