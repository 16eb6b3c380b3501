package wire

import (
	"context"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/agent"
	"github.com/gantry-ci/gantry/test/postgres"
)

// Two replicas of the app on one PostgreSQL, each with a runner: whoever makes a run, and wherever the stream is, each
// run is executed once, cancels arrive, and a runner that comes to the other replica is known there.
func TestReplicas(t *testing.T) {
	dsn, dir := postgres.Start(t), t.TempDir()
	one, two := newLabOn(t, dir, dsn), newLabOn(t, dir, dsn)
	var mu sync.Mutex
	executed := map[string]int{}
	count := func(ctx context.Context, a agent.Assignment, dir string) (results.Results, error) {
		mu.Lock()
		executed[a.Run]++
		mu.Unlock()
		return passing(ctx, a, dir)
	}
	for i, l := range []*testLab{one, two} {
		l.runner(t, []string{"a", "b"}[i], "http://"+l.addr, func(o *agent.Options) { o.Execute = count })
	}
	var ids []string
	var wg sync.WaitGroup
	for _, l := range []*testLab{one, two} {
		wg.Go(func() {
			for range 20 {
				id := l.create(t)
				mu.Lock()
				ids = append(ids, id)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	runners := map[string]int{}
	for _, id := range ids {
		run, attempts := one.wait(t, id, "completed", completed)
		mu.Lock()
		times := executed[id]
		mu.Unlock()
		if run.Verdict.Verdict != results.VerdictPass || len(attempts) != 1 || times != 1 {
			t.Errorf("%+v, %d attempts, executed %d times", run, len(attempts), times)
		}
		runners[attempts[0].Runner]++
	}
	if len(runners) != 2 {
		t.Errorf("executed by %v", runners)
	}

	// Made and canceled at one replica; the runner's stream is with the other.
	began := make(chan agent.Assignment, 1)
	two.runner(t, "far", "http://"+two.addr, func(o *agent.Options) {
		o.Targets = func() []lab.Target { return []lab.Target{{Name: "f", Type: "far"}} }
		o.Execute = blocking(began)
	})
	start := time.Now()
	id := one.create(t, func(s *store.RunSpec) { s.TargetType = "far" })
	receive(t, began, "beginning")
	t.Logf("assigned through the other replica after %s", time.Since(start))
	one.cancel(t, id)
	if _, attempts := one.wait(t, id, "ended", func(_ store.Run, as []store.Attempt) bool {
		return as[0].Ended
	}); attempts[0].Class != results.ClassCanceled {
		t.Errorf("%+v", attempts)
	}

	// A runner whose stream hangs at one replica connects to the other.
	c := one.client(t, "mover")
	older := c.watch(t, t.Context(), "m")
	c.RunnerServiceClient = c.at(two.addr)
	newer := c.watch(t, t.Context(), "m")
	for older.Receive() { // until its replica looks
	}
	wantCode(t, "older stream", connect.CodeAborted, older.Err())
	if err := newer.Close(); err != nil {
		t.Log(err)
	}
}
