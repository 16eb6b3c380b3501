package wire

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/agent"
)

// Connections break all the time, in the middle of batches: what the app has is what the runner wrote, byte for byte.
func TestUploadExact(t *testing.T) {
	l := newLab(t)
	p := newProxy(t, l.addr)
	p.breakAfter(100_000)
	const cases, chunk, chunks = 1500, 40_000, 150 // 6 MB of console
	hash := make(chan [32]byte, 1)
	id := l.create(t)
	n := l.runner(t, "r", p.url(), func(o *agent.Options) {
		o.Rand = func() float64 { return 0.05 }
		o.Execute = func(_ context.Context, a agent.Assignment, dir string) (results.Results, error) {
			rec, err := newRecord(a, dir)
			if err != nil {
				return results.Results{}, err
			}
			console, err := os.Create(filepath.Join(dir, lab.Console.File()))
			if err != nil {
				return results.Results{}, err
			}
			rnd, sum, buf := rand.NewChaCha8([32]byte{7}), sha256.New(), make([]byte, chunk)
			for i := range chunks {
				_, _ = rnd.Read(buf)
				sum.Write(buf)
				_, e := console.Write(buf)
				err = errors.Join(err, e)
				for j := range cases / chunks {
					err = errors.Join(err, rec.emit(results.Event{
						Case: &results.Case{Suite: "0_x", Case: fmt.Sprintf("c%d-%d", i, j), Result: results.Pass},
					}))
				}
			}
			hash <- [32]byte(sum.Sum(nil))
			res, e := rec.end(nil)
			return res, errors.Join(err, e, console.Close())
		}
	})
	run, attempts := l.wait(t, id, "completed", completed)
	if run.Verdict.Verdict != results.VerdictPass || len(attempts) != 1 {
		t.Fatalf("run: %+v, %d attempts", run, len(attempts))
	}
	console := l.stream(t, id, 1, lab.Console)
	if want := <-hash; sha256.Sum256([]byte(console)) != want || len(console) != chunk*chunks {
		t.Errorf("the console differs; %d bytes", len(console))
	}
	events, err := os.ReadFile(filepath.Join(n.Dir, "runs", attempts[0].LeaseID, lab.Events.File()))
	if err != nil || l.stream(t, id, 1, lab.Events) != string(events) {
		t.Errorf("the events differ: %v", err)
	}
	res, lost, err := l.blobs.Results(id, 1)
	if err != nil || lost != 0 || res.Count(results.Pass) != cases {
		t.Errorf("%d cases, %d lost, %v", res.Count(results.Pass), lost, err)
	}
	if p.breaks() < 5 {
		t.Errorf("only %d connections broke", p.breaks())
	}
	t.Logf("%d connections broke", p.breaks())
}

// The network is away for less than a lease: the run goes on, and its record follows.
func TestNetworkLoss(t *testing.T) {
	l := newLab(t)
	p := newProxy(t, l.addr)
	began, release := make(chan agent.Assignment, 2), make(chan struct{})
	id := l.create(t)
	l.runner(t, "r", p.url(), func(o *agent.Options) {
		o.Execute = func(ctx context.Context, a agent.Assignment, dir string) (results.Results, error) {
			began <- a
			select {
			case <-release:
				return passing(ctx, a, dir)
			case <-ctx.Done():
				return results.Results{}, context.Cause(ctx)
			}
		}
	})
	receive(t, began, "beginning")
	p.setCut(true)
	close(release) // it ends while the app is out of reach
	l.ahead.Add(int64(10 * time.Second))
	time.AfterFunc(time.Second, func() { p.setCut(false) })
	run, attempts := l.wait(t, id, "completed", completed)
	if run.Verdict.Verdict != results.VerdictPass || len(attempts) != 1 {
		t.Errorf("%+v, %d attempts", run, len(attempts))
	}
}

// A runner that is silent for 30 s has lost its lease: the run is tried elsewhere, and nothing that the loser says
// later counts. The loser stops as soon as it hears of it.
func TestLeaseLost(t *testing.T) {
	l := newLab(t)
	p := newProxy(t, l.addr)
	began, stopped := make(chan agent.Assignment, 2), make(chan error, 2)
	id := l.create(t)
	block := blocking(began)
	l.runner(t, "loser", p.url(), func(o *agent.Options) {
		o.Execute = func(ctx context.Context, a agent.Assignment, dir string) (results.Results, error) {
			res, err := block(ctx, a, dir)
			stopped <- context.Cause(ctx)
			// It is late, and claims to have passed.
			return res, errors.Join(err, os.WriteFile(filepath.Join(dir, lab.Console.File()), []byte("late"), 0o600))
		}
	})
	lease := receive(t, began, "beginning").Lease
	l.wait(t, id, "accepted", func(store.Run, []store.Attempt) bool {
		runners, err := l.store.Runners(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held, err := l.store.HeldLeases(t.Context(), runners[0].ID)
		return err == nil && len(held) == 1 && held[0].Accepted
	})
	p.setCut(true)
	run, attempts := l.silence(t, id, "queued again", func(r store.Run) bool { return r.State == store.RunQueued })
	if run.Attempts != 1 || !attempts[0].Ended || attempts[0].Class != results.ClassInfrastructure ||
		!strings.Contains(attempts[0].Message, "silent") {
		t.Errorf("attempts: %+v", attempts)
	}
	l.runner(t, "winner", "http://"+l.addr, func(o *agent.Options) {
		o.Targets = func() []lab.Target { return []lab.Target{{Name: "w", Type: "qemu", Tags: []string{"sound"}}} }
	})
	run, attempts = l.wait(t, id, "completed", completed)
	if run.Verdict.Verdict != results.VerdictPass || len(attempts) != 2 || attempts[1].Runner != "winner" ||
		attempts[1].LeaseID == lease {
		t.Errorf("%+v, attempts %+v", run, attempts)
	}
	p.setCut(false)
	if cause := receive(t, stopped, "stop of the loser"); results.ClassOf(cause) != results.ClassInfrastructure {
		t.Errorf("the loser stopped for %v", cause)
	}
	again := l.create(t, func(s *store.RunSpec) { s.Tags = []string{"sound"} })
	l.wait(t, again, "completed", completed)
	after, err := l.store.Run(t.Context(), id)
	if err != nil || !cmp.Equal(after.Verdict, run.Verdict) {
		t.Errorf("the loser changed the run: %+v, %v", after, err)
	}
}

// The app restarts: the run goes on, as the same attempt.
func TestAppRestart(t *testing.T) {
	l := newLab(t)
	began, release := make(chan agent.Assignment, 2), make(chan struct{})
	id := l.create(t)
	l.runner(t, "r", "http://"+l.addr, func(o *agent.Options) {
		o.Rand = func() float64 { return 0.1 }
		o.Execute = func(ctx context.Context, a agent.Assignment, dir string) (results.Results, error) {
			began <- a
			<-release
			return passing(ctx, a, dir)
		}
	})
	receive(t, began, "beginning")
	l.stop()
	l.ahead.Add(int64(5 * time.Minute)) // a long absence; no lease could be kept
	l.start(t)
	l.wait(t, id, "renewed", func(r store.Run, _ []store.Attempt) bool { return r.State == store.RunRunning })
	close(release)
	run, attempts := l.wait(t, id, "completed", completed)
	if run.Verdict.Verdict != results.VerdictPass || len(attempts) != 1 {
		t.Errorf("%+v, %d attempts", run, len(attempts))
	}
}
