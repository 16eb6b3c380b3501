package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/app/api"
	"github.com/gantry-ci/gantry/app/scheduler"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/agent"
)

// patience is how long a test waits for what must come. It is never waited out in a test that passes.
const patience = 5 * time.Minute

// testLab is app on loopback.
type testLab struct {
	dir     string
	dsn     string
	addr    string
	store   *store.Store
	blobs   *store.Blobs
	changed chan struct{} // holds one
	ahead   atomic.Int64  // of the wall clock, in nanoseconds
	stop    func()
}

func logger(t testing.TB) *slog.Logger {
	if !testing.Verbose() {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
}

func newLab(t testing.TB) *testLab {
	t.Helper()
	dir := t.TempDir()
	return newLabOn(t, dir, filepath.Join(dir, "lab.db"))
}

// newLabOn starts a replica of the app on a folder and a database.
func newLabOn(t testing.TB, dir, dsn string) *testLab {
	t.Helper()
	l := &testLab{dir: dir, dsn: dsn, addr: "127.0.0.1:0", changed: make(chan struct{}, 1)}
	l.start(t)
	t.Cleanup(func() { l.stop() })
	return l
}

// start starts the app, on the address that it had before.
func (l *testLab) start(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var err error
	l.store, err = store.Open(ctx, store.Options{
		DSN: l.dsn,
		Now: func() time.Time { return time.Now().Add(time.Duration(l.ahead.Load())) },
		RunChanged: func(context.Context, *store.Tx, string) error {
			select {
			case l.changed <- struct{}{}:
			default:
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if l.blobs, err = store.OpenBlobs(filepath.Join(l.dir, "runs")); err != nil {
		t.Fatal(err)
	}
	sched, err := scheduler.New(ctx, scheduler.Options{
		Store: l.store, Blobs: l.blobs, Logger: logger(t).With("side", "scheduler"),
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := api.New(ctx, api.Options{
		Store: l.store, Blobs: l.blobs, Scheduler: sched, Version: "v0.1.0", Logger: logger(t).With("side", "app"),
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(s.Handler())
	p := &http.Protocols{}
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	srv := &http.Server{Handler: mux, Protocols: p, ReadHeaderTimeout: time.Second}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", l.addr)
	if err != nil {
		t.Fatal(err)
	}
	l.addr = ln.Addr().String()
	var loops sync.WaitGroup
	loops.Go(func() { sched.Run(ctx) })
	loops.Go(func() { s.Run(ctx) })
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	l.stop = func() {
		cancel()
		end, done := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer done()
		loops.Wait()
		if err := srv.Shutdown(end); err != nil {
			t.Error(err)
		}
		<-served
		if err := errors.Join(l.blobs.Close(), l.store.Close()); err != nil {
			t.Error(err)
		}
	}
}

// create queues a run.
func (l *testLab) create(t testing.TB, f ...func(*store.RunSpec)) (id string) {
	t.Helper()
	return l.createMany(t, 1, f...)[0]
}

// createMany queues runs in one transaction.
func (l *testLab) createMany(t testing.TB, n int, f ...func(*store.RunSpec)) (ids []string) {
	t.Helper()
	spec := store.RunSpec{
		Name: "smoke", Source: lab.Source{Repository: "o/r", Commit: "abc"}, Trust: lab.Trusted, TargetType: "qemu",
		Job: []byte("job_name: smoke\n"),
	}
	for _, f := range f {
		f(&spec)
	}
	err := l.store.Tx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		for range n {
			run, created, err := l.store.CreateRun(ctx, tx, spec)
			if err == nil && !created {
				err = errors.New("not created")
			}
			if err != nil {
				return err
			}
			ids = append(ids, run.ID)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// cancel cancels a run.
func (l *testLab) cancel(t testing.TB, id string) {
	t.Helper()
	err := l.store.Tx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		done, err := l.store.CancelRun(ctx, tx, id, "superseded")
		if err == nil && !done {
			err = errors.New("not canceled")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// wait waits until the run is as wanted.
func (l *testLab) wait(
	t testing.TB, id, what string, want func(store.Run, []store.Attempt) bool,
) (store.Run, []store.Attempt) {
	t.Helper()
	end := time.After(patience)
	for {
		run, err := l.store.Run(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		attempts, err := l.store.Attempts(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if want(run, attempts) {
			return run, attempts
		}
		select {
		case <-l.changed:
		case <-time.After(5 * time.Millisecond): // the change is told before its commit
		case <-end:
			t.Fatalf("the run did not become %s: %+v, attempts %+v", what, run, attempts)
		}
	}
}

// silence lets the time of all leases run out, until the run is as wanted: a call that was under way when the network
// was cut may have kept one.
func (l *testLab) silence(t testing.TB, id, what string, want func(store.Run) bool) (store.Run, []store.Attempt) {
	t.Helper()
	next := time.Now()
	return l.wait(t, id, what, func(r store.Run, _ []store.Attempt) bool {
		if want(r) {
			return true
		}
		if time.Now().After(next) {
			l.ahead.Add(int64(lab.LeaseTimeout + time.Second))
			next = time.Now().Add(5 * time.Second)
		}
		return false
	})
}

func completed(r store.Run, _ []store.Attempt) bool { return r.State == store.RunCompleted }

// node is a runner in this process.
type node struct {
	agent.Options
	ended chan error
	halt  func()
}

// runner makes an agent that enrolls at the app behind url, and starts it.
func (l *testLab) runner(t testing.TB, name, url string, f ...func(*agent.Options)) *node {
	t.Helper()
	token, err := l.store.NewEnrollment(t.Context(), name, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{Options: agent.Options{
		Server: url, Name: name, Token: token, Dir: t.TempDir(), Version: "v0.1.0",
		Targets: func() []lab.Target { return []lab.Target{{Name: name + "-1", Type: "qemu"}} },
		Execute: passing, Recover: func(context.Context, agent.Assignment, string) error { return nil },
		StopTimeout: patience, Logger: logger(t).With("side", name),
	}}
	for _, f := range f {
		f(&n.Options)
	}
	n.start(t)
	t.Cleanup(func() { n.stop(t) })
	return n
}

func (n *node) start(t testing.TB) {
	t.Helper()
	a, err := agent.New(n.Options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	n.ended, n.halt = make(chan error, 1), cancel
	go func() { n.ended <- a.Run(ctx) }()
}

func (n *node) stop(t testing.TB) {
	t.Helper()
	if n.halt == nil {
		return
	}
	n.halt()
	n.halt = nil
	if err := <-n.ended; err != nil {
		t.Error(err)
	}
}

// record writes a run's files as the real one does.
type record struct {
	dir string
	f   *os.File
	enc *json.Encoder
	res *results.Results
	seq int64
}

func newRecord(a agent.Assignment, dir string) (*record, error) {
	f, err := os.Create(filepath.Join(dir, lab.Events.File()))
	if err != nil {
		return nil, err
	}
	r := &record{dir: dir, f: f, enc: json.NewEncoder(f), res: results.NewResults()}
	return r, r.emit(results.Event{Start: &results.Start{Job: a.Name, Device: a.Target, Attempt: a.Attempt}})
}

func (r *record) emit(e results.Event) error {
	r.seq++
	e.Seq, e.Time = r.seq, time.Now()
	r.res.Apply(e)
	return r.enc.Encode(e)
}

func (r *record) end(err error) (results.Results, error) {
	v := results.Decide(err, r.res.Cases)
	err = r.emit(results.Event{Verdict: &v})
	return *r.res, errors.Join(err, r.f.Close())
}

// passing is a run of two cases and a short console.
func passing(_ context.Context, a agent.Assignment, dir string) (results.Results, error) {
	r, err := newRecord(a, dir)
	if err != nil {
		return results.Results{}, err
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, lab.Console.File()), fmt.Appendf(nil, "booting %s\r\n", a.Run), 0o600),
		os.WriteFile(filepath.Join(dir, lab.Copies.File()), []byte("beside it"), 0o600),
		os.WriteFile(filepath.Join(dir, "console-uart1.log"), []byte("boot rom"), 0o600),
	)
	for _, name := range []string{"uname", "nonce"} {
		err = errors.Join(err, r.emit(results.Event{Case: &results.Case{Suite: "0_smoke", Case: name, Result: results.Pass}}))
	}
	return r.end(err)
}

// blocking is a run that says when it has begun, and goes on until it is stopped.
func blocking(began chan<- agent.Assignment) func(context.Context, agent.Assignment, string) (results.Results, error) {
	return func(ctx context.Context, a agent.Assignment, dir string) (results.Results, error) {
		r, err := newRecord(a, dir)
		if err != nil {
			return results.Results{}, err
		}
		began <- a
		<-ctx.Done()
		return r.end(context.Cause(ctx))
	}
}

func receive[T any](t testing.TB, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("no %s", what)
	}
	return v
}
