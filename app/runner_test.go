package app_test

import (
	"encoding/json"
	"time"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

// connect acts as a runner with a target.
func (l *testLab) connect() {
	l.t.Helper()
	s, ctx := l.app.Store(), l.t.Context()
	token, err := s.NewEnrollment(ctx, "", time.Hour)
	if err != nil {
		l.t.Fatal(err)
	}
	if l.runner, err = s.Enroll(ctx, token, "bench", store.HashSecret("x")); err != nil {
		l.t.Fatal(err)
	}
	err = s.ConnectRunner(ctx, l.runner, "session", "test", lab.Announcement{
		Targets: []lab.Target{{Name: "qemu-1", Type: "qemu", Health: lab.Good}},
	})
	if err != nil {
		l.t.Fatal(err)
	}
}

// lease waits until the runner holds a lease.
func (l *testLab) lease() (id string) {
	l.t.Helper()
	l.until(func() string {
		if _, err := l.app.Store().Schedule(l.t.Context()); err != nil {
			l.t.Fatal(err)
		}
		held, err := l.app.Store().HeldLeases(l.t.Context(), l.runner)
		if err != nil {
			l.t.Fatal(err)
		}
		if len(held) == 0 {
			return "no lease"
		}
		id = held[0].ID
		return ""
	})
	return id
}

// finish ends the lease's attempt with the cases.
func (l *testLab) finish(lease string, failure error, cases ...results.Case) {
	l.t.Helper()
	r := results.NewResults()
	r.Job, r.Device, r.Cases, r.Verdict = "smoke", "qemu-1", cases, results.Decide(failure, cases)
	b, err := json.Marshal(r)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := l.app.Store().EndLease(
		l.t.Context(), l.runner, lease, store.End{Verdict: r.Verdict, Results: b},
	); err != nil {
		l.t.Fatal(err)
	}
}
