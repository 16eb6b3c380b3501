package queue

import (
	"time"

	"github.com/gantry-ci/gantry/results"
)

// MaxAttempts is how many attempts a run may have.
const MaxAttempts = 2

// Ended is an attempt that has ended.
type Ended struct {
	Number, Max int           // of the attempt, from 1; of attempts that the run may have
	Silent      bool          // its runner let the lease run out
	Accepted    bool          // its runner has acknowledged the lease
	Class       results.Class // of the failure
}

// Next is what becomes of a run after an attempt.
type Next int

// What may become of a run.
const (
	Complete Next = iota // the attempt's verdict is the run's
	Retry                // it is queued again, for another target if there is one
	Requeue              // it is queued again, and the attempt does not count
)

// After decides what becomes of the run. An attempt that never reached its runner does not count. A failure of the lab
// is retried while the run has attempts left. Any other verdict is final.
func After(e Ended) Next {
	switch {
	case e.Silent && !e.Accepted:
		return Requeue
	case e.Class == results.ClassInfrastructure && e.Number < e.Max:
		return Retry
	}
	return Complete
}

// WaitUntil is when a run that is queued now has waited for too long. The timeout restarts whenever the run is queued
// again; execution time does not count. The zero time is never.
func WaitUntil(now time.Time, timeout time.Duration) time.Time {
	if timeout <= 0 {
		return time.Time{}
	}
	return now.Add(timeout)
}

// Expired is the verdict of a run that waited for too long.
func Expired() results.Verdict {
	return results.Verdict{
		Verdict: results.VerdictIncomplete, Class: results.ClassInfrastructure,
		Message: "no target was free in the time the run may wait",
	}
}
