// Package agent is the lab's lifecycle on a runner: it enrolls, dials out to the app, executes what the app assigns,
// one run per target at a time, and uploads what each run writes to its folder. Its options say how a run is executed,
// and how one that a crash cut off is undone.
//
// The folder of a run holds all of its state, so that the next process can resume wherever this one was cut off:
//
//	DIR/credential                  of this runner, once enrolled
//	DIR/runs/LEASE/assignment.json  the assignment; the folder is made when its execution begins
//	DIR/runs/LEASE/outcome.json     how the execution ended; it remains to upload the rest and to report the outcome
//	DIR/runs/LEASE/reported         the app knows that a crash cut the run off, but not all could be undone
//	DIR/runs/LEASE/done             nothing remains to be done; the folder is kept for a while
//
// Beside these are the files that Execute writes, of which the uploader follows the streams by byte offset.
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
	"github.com/gantry-ci/gantry/results"
)

const (
	// stopTimeout is how long runs have to clean up and to report when the runner is stopped.
	stopTimeout = 90 * time.Second
	// defaultKeep and keepRuns bound what finished runs occupy on disk.
	defaultKeep = 7 * 24 * time.Hour
	keepRuns    = 200
)

// Assignment is one attempt at a run, as the app assigns it.
type Assignment = lab.Assignment

// Options of an agent. Server, Name, Dir, Targets, Execute and Recover are required.
type Options struct {
	Server string // the app's URL: https://, http://, or h2c:// for HTTP/2 in clear
	Name   string // of the runner, unique in the lab
	Token  string // to enroll with, while Dir holds no credential
	Dir    string // of the agent alone; created if it is missing

	// Targets returns all of the runner's targets, as they are now. It is called often and must not block.
	Targets func() []lab.Target
	// Repositories is the runner's allow-list, path.Match patterns of owner/name; empty allows every repository.
	Repositories []string

	// Execute runs the assignment, and writes its streams to dir. When ctx ends it stops, cleans up, and returns;
	// context.Cause(ctx) has the class. If the results have no verdict, the class of the error gives one.
	Execute func(ctx context.Context, a Assignment, dir string) (results.Results, error)
	// Recover undoes what a process that crashed left of the assignment's run in dir. It must be idempotent.
	Recover func(ctx context.Context, a Assignment, dir string) error

	HTTP        *http.Client   // nil: one made for Server
	Version     string         // of gantry
	Keep        time.Duration  // how long the folders of finished runs are kept; 0: a week
	StopTimeout time.Duration  // 0: 90 s
	Rand        func() float64 // in [0, 1), for the waits between tries; nil: math/rand
	Logger      *slog.Logger
}

// Agent is a runner of a lab.
type Agent struct {
	o      Options
	log    *slog.Logger
	client gantryv1.RunnerServiceClient
	auth   *credential
	beat   chan struct{} // holds one: the next heartbeat is due now

	mu       sync.Mutex
	runs     map[string]*run          // by lease
	slots    map[string]chan struct{} // by target: a semaphore of one, held during an execution
	bad      map[string]string        // by target: the lease of a run that a crash cut off and that could not be undone
	stopping bool
	stopped  chan struct{}  // closed when stopping is set
	working  sync.WaitGroup // of the runs
}

// New makes an agent. It does nothing until Run.
func New(o Options) (*Agent, error) {
	if o.Server == "" || o.Name == "" || o.Dir == "" || o.Targets == nil || o.Execute == nil || o.Recover == nil {
		return nil, errors.New("make agent: Server, Name, Dir, Targets, Execute and Recover are required")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Keep == 0 {
		o.Keep = defaultKeep
	}
	if o.StopTimeout == 0 {
		o.StopTimeout = stopTimeout
	}
	a := &Agent{
		o: o, log: o.Logger, auth: &credential{path: filepath.Join(o.Dir, credentialName)}, beat: make(chan struct{}, 1),
		runs: map[string]*run{}, slots: map[string]chan struct{}{}, bad: map[string]string{}, stopped: make(chan struct{}),
	}
	a.client = newClient(o, a.auth)
	return a, nil
}

// Run serves the lab until ctx ends. Runs in progress are then stopped, cleaned up and reported, within StopTimeout. An
// error means that the agent cannot work: its folder is in use, or the app refuses to enroll it.
func (a *Agent) Run(ctx context.Context) error {
	if err := os.MkdirAll(a.runsDir(), 0o700); err != nil {
		return fmt.Errorf("make agent folder: %w", err)
	}
	unlock, err := lockFile(filepath.Join(a.o.Dir, "lock"))
	if err != nil {
		return fmt.Errorf("lock agent folder: %w", err)
	}
	defer unlock()
	if err := a.enroll(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // stopped before it was enrolled
		}
		return err
	}
	// Work that was begun is brought to its end even when ctx ends, within limits.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	if err := a.resume(ctx, life); err != nil {
		return err
	}
	var beating sync.WaitGroup
	beating.Go(func() { a.heartbeats(life) })
	a.watch(ctx, life)

	a.log.InfoContext(ctx, "runner stops")
	a.stopRuns()
	done := make(chan struct{})
	go func() { a.working.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(a.o.StopTimeout):
		err = fmt.Errorf("stop runner: runs did not end within %s", a.o.StopTimeout)
	}
	end()
	beating.Wait()
	return err
}

func (a *Agent) runsDir() string { return filepath.Join(a.o.Dir, "runs") }

func (a *Agent) stopRuns() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stopping = true
	close(a.stopped)
	for _, r := range a.runs {
		r.stop(results.Failf(results.ClassInfrastructure, "the runner was stopped"))
	}
}

// targets are the runner's targets as they are announced.
func (a *Agent) targets() []lab.Target {
	out := slices.Clone(a.o.Targets())
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range out {
		if a.bad[out[i].Name] != "" {
			out[i].Health = lab.Bad
		}
	}
	return out
}

// leases are the leases that this process holds.
func (a *Agent) leases() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]string, 0, len(a.runs))
	for id := range a.runs {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// add registers r, unless its lease is registered already or the agent is stopping.
func (a *Agent) add(r *run) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopping || a.runs[r.Lease] != nil {
		return false
	}
	a.runs[r.Lease] = r
	if a.slots[r.Target] == nil {
		a.slots[r.Target] = make(chan struct{}, 1)
	}
	r.slot = a.slots[r.Target]
	a.working.Add(1)
	return true
}

// remove removes r, which has ended.
func (a *Agent) remove(r *run) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.runs, r.Lease)
	a.working.Done()
}

func (a *Agent) find(lease string) *run {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.runs[lease]
}
