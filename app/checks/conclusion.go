package checks

import (
	"slices"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/results"
)

// Statuses and conclusions of check runs, as GitHub names them.
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

// conclusion is the conclusion of a run with the verdict. A run that did not fail by the code's fault is never red, and
// one that has not passed is never green.
func conclusion(v results.Verdict) string {
	switch {
	case v.Verdict == results.VerdictPass && v.Class == "":
		return Success
	case v.Class == results.ClassTest, v.Class == results.ClassJob:
		return Failure
	case v.Class == results.ClassTimeout:
		return TimedOut
	case v.Class == results.ClassCanceled:
		return Canceled
	default: // the fault of the lab, or ours
		return Neutral
	}
}

// bySeverity are the conclusions of runs, the worst first, which is the whole check's.
func bySeverity() []string { return []string{Failure, TimedOut, Canceled, Neutral, Success} }

// state is the status of a check with the runs and, when it is completed, its conclusion.
func state(runs []Run) (status, concluded string) {
	queued, done := 0, 0
	conclusions := map[string]bool{}
	for _, r := range runs {
		switch r.State {
		case store.RunCompleted:
			done++
			conclusions[conclusion(r.Verdict)] = true
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
	i := slices.IndexFunc(bySeverity(), func(c string) bool { return conclusions[c] })
	return Completed, bySeverity()[i]
}
