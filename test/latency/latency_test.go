// Package latency measures how long an event takes through the app.
package latency

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gantry-ci/gantry/app"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/agent"
	"github.com/gantry-ci/gantry/test/scene"
)

// BenchmarkWebhookToAssignment measures from the moment that GitHub sends a pull request's webhook to the assignment at
// the runner, while so many runners are connected; answer-ms is when GitHub had its 202. In between the delivery is
// stored, the webhook is parsed, two files are read from GitHub, a run is queued and leased.
func BenchmarkWebhookToAssignment(b *testing.B) {
	for _, runners := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("runners=%d", runners), func(b *testing.B) { measure(b, runners) })
	}
}

func measure(b *testing.B, runners int) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	s, err := scene.Open(ctx, b.TempDir(), "../demo/repos/pass")
	if err != nil {
		b.Fatal(err)
	}
	defer s.Hub.Close()
	a := serve(ctx, b, s)
	defer a.Stop(ctx)
	assigned := make(chan time.Time, 1)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	dir := b.TempDir()
	for i := range runners {
		connect(ctx, b, a, filepath.Join(dir, fmt.Sprint(i)), i, assigned, &wg)
	}
	awaitRunners(ctx, b, a, runners)
	var took, answered []time.Duration
	for b.Loop() {
		b.StopTimer()
		pull, err := s.Pull("x")
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		sent := time.Now()
		d, err := s.Opened(ctx, pull)
		if err != nil || d.Status != http.StatusAccepted {
			b.Fatalf("answered %d: %v", d.Status, err)
		}
		took = append(took, (<-assigned).Sub(sent))
		answered = append(answered, d.Duration)
	}
	slices.Sort(took)
	slices.Sort(answered)
	b.ReportMetric(float64(answered[len(answered)/2].Microseconds())/1000, "answer-p50-ms")
	at := func(q float64) float64 { return float64(took[int(q*float64(len(took)-1))].Microseconds()) / 1000 }
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(at(0), "min-ms")
	b.ReportMetric(at(1), "max-ms")
}

func serve(ctx context.Context, b *testing.B, s *scene.Scene) *app.App {
	dir, reg := b.TempDir(), prometheus.NewRegistry()
	a, err := app.New(ctx, app.Options{
		Listen: "127.0.0.1:0", URL: "http://127.0.0.1", Database: filepath.Join(dir, "app.db"),
		Blobs:     filepath.Join(dir, "blobs"),
		GitHubURL: s.Hub.URL(), AppID: s.Hub.AppID(), PrivateKey: s.Hub.PrivateKey(), WebhookSecrets: []string{"secret"},
		Logger: slog.New(slog.DiscardHandler), Registerer: reg, Gatherer: reg, Version: "v0.1.0",
	})
	if err == nil {
		err = a.Start(ctx)
	}
	if err != nil {
		b.Fatal(err)
	}
	s.Hub.SetWebhook("http://"+a.Addr()+"/hook", "secret")
	return a
}

// connect starts a runner with one target, whose runs pass at once.
func connect(
	ctx context.Context, b *testing.B, a *app.App, dir string, i int, assigned chan<- time.Time, wg *sync.WaitGroup,
) {
	name := fmt.Sprintf("runner-%d", i)
	token, err := a.Enrollment(ctx, name, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	r, err := agent.New(agent.Options{
		Server: "http://" + a.Addr(), Name: name, Token: token, Dir: dir, Version: "v0.1.0",
		Targets: func() []lab.Target { return []lab.Target{{Name: "t", Type: "qemu"}} },
		Execute: func(_ context.Context, a agent.Assignment, _ string) (results.Results, error) {
			if a.Attempt == 1 { // a run that leaves no record is tried again
				assigned <- time.Now()
			}
			return results.Results{Verdict: results.Decide(nil, nil)}, nil
		},
		Recover: func(context.Context, agent.Assignment, string) error { return nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	wg.Go(func() { _ = r.Run(ctx) })
}

// awaitRunners waits until that many targets are announced.
func awaitRunners(ctx context.Context, b *testing.B, a *app.App, n int) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		targets, err := a.Store().Targets(ctx)
		if err == nil && len(targets) >= n {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			b.Fatal(ctx.Err())
		}
	}
}
