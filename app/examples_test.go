package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/test/fakegithub"
	"github.com/gantry-ci/gantry/test/fakegithub/octokit"
)

// Every example payload that GitHub publishes is accepted, and ends with a reason.
func TestExamples(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	events := examples(t)
	var sent []fakegithub.Delivery
	for _, e := range events {
		sent = append(sent, l.send(e, fakegithub.DeliveryOptions{}))
	}
	for i, d := range sent {
		got := l.ended(d.GUID)
		if got.Reason == "" ||
			got.State != store.DeliveryIgnored && got.State != store.DeliveryRefused && got.State != store.DeliveryProcessed {
			t.Errorf("%d %s %s: %s: %q", i, d.Event, d.Action, got.State, got.Reason)
		}
	}
	counts, err := l.app.Store().CountDeliveries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Log(len(events), "examples:", counts)
	if n := len(l.runs()); n != 0 {
		t.Errorf("%d runs", n)
	}
}

// examples are GitHub's own example payloads.
func examples(tb testing.TB) (events []fakegithub.Event) {
	tb.Helper()
	dir, err := octokit.Dir()
	if err != nil {
		tb.Fatal(err)
	}
	files, err := octokit.Ensure(tb.Context(), dir)
	if err != nil {
		tb.Skipf("GitHub's example payloads cannot be had: %v", err)
	}
	b, err := os.ReadFile(files.Examples)
	if err != nil {
		tb.Fatal(err)
	}
	var list []struct {
		Name     string            `json:"name"`
		Examples []json.RawMessage `json:"examples"`
	}
	if err := json.Unmarshal(b, &list); err != nil {
		tb.Fatal(err)
	}
	for _, e := range list {
		for _, payload := range e.Examples {
			events = append(events, fakegithub.Event{Name: e.Name, Payload: payload})
		}
	}
	return events
}

// The answer is sent long before GitHub's 10 s are over, whatever is in the queue.
func BenchmarkAccept(b *testing.B) {
	l := newLab(b)
	events := examples(b)
	i := 0
	for b.Loop() {
		e := events[i%len(events)]
		i++
		d, err := l.gh.Deliver(b.Context(), e.Name, e.Payload, fakegithub.DeliveryOptions{})
		if err != nil || d.Status != http.StatusAccepted {
			b.Fatal(d, err)
		}
	}
	var took []time.Duration
	for _, d := range l.gh.Deliveries() {
		took = append(took, d.Duration)
	}
	slices.Sort(took)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(took[len(took)*p/100].Microseconds()), fmt.Sprintf("p%d-µs", p))
	}
}
