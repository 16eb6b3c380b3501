package wire

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/jobs/rpc"
	"github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
	"github.com/gantry-ci/gantry/results"
)

// From the wish for a run to its assignment at a runner, with that many runners connected, all of which would do: two
// synced commits, and a message.
func BenchmarkAssign(b *testing.B) {
	for _, streams := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("streams=%d", streams), func(b *testing.B) { benchmarkAssign(b, streams) })
	}
}

type arrival struct {
	lab.Assignment
	at time.Time
	by *client
}

func benchmarkAssign(b *testing.B, streams int) {
	l := newLab(b)
	arrived := make(chan arrival, 1)
	for i := range streams {
		c := l.client(b, fmt.Sprintf("runner-%d", i))
		s := c.watch(b, b.Context(), "x")
		go func() {
			for s.Receive() {
				if a, ok := rpc.GetMessage(s.Msg()).(lab.Assignment); ok {
					arrived <- arrival{a, time.Now(), c}
				}
			}
		}()
	}
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		id := l.create(b)
		a := receive(b, arrived, "assignment")
		if a.Run != id {
			b.Fatalf("assigned %s, want %s", a.Run, id)
		}
		took = append(took, a.at.Sub(began))
		b.StopTimer()
		_, err := a.by.Finish(b.Context(), &gantryv1.FinishRequest{
			Lease: a.Lease, Verdict: results.VerdictFail, Class: string(results.ClassJob),
		})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	slices.Sort(took)
	ms := func(p float64) float64 { return float64(took[int(p*float64(len(took)-1))].Microseconds()) / 1000 }
	b.ReportMetric(ms(0.5), "p50-ms")
	b.ReportMetric(ms(0.99), "p99-ms")
	b.ReportMetric(ms(1), "max-ms")
}
