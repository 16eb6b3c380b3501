package checks

import (
	"slices"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/results"
)

// Statuses and conclusions of GitHub.
const (
	Queued     = "queued"
	InProgress = "in_progress"
	Completed  = "completed"

	Success        = "success"
	Failure        = "failure"
	Neutral        = "neutral"
	Canceled       = "cancelled"
	TimedOut       = "timed_out"
	ActionRequired = "action_required"
)

// conclude is the conclusion of a run that has its verdict. What is not the code's fault is never red, and what has not
// passed is never green.
func conclude(v results.Verdict) string {
	switch {
	case v.Verdict == results.VerdictPass && v.Class == "":
		return Success
	case v.Class == results.ClassTest, v.Class == results.ClassJob:
		return Failure
	case v.Class == results.ClassTimeout:
		return TimedOut
	case v.Class == results.ClassCanceled:
		return Canceled
	default: // the lab's or our own fault
		return Neutral
	}
}

// worst is the order in which one run's conclusion is the whole check's.
func worst() []string { return []string{Failure, TimedOut, Canceled, Neutral, Success} }

// state is the status and, when it is completed, the conclusion of a check with the runs.
func state(runs []Run) (status, conclusion string) {
	queued, done := 0, 0
	conclusions := map[string]bool{}
	for _, r := range runs {
		switch r.State {
		case store.RunCompleted:
			done++
			conclusions[conclude(r.Verdict)] = true
		case store.RunQueued:
			if r.Run.Attempts == 0 {
				queued++
			}
		}
	}
	switch {
	case queued == len(runs):
		return Queued, ""
	case done < len(runs):
		return InProgress, ""
	}
	i := slices.IndexFunc(worst(), func(c string) bool { return conclusions[c] })
	return Completed, worst()[i]
}
