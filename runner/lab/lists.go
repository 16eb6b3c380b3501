package lab

import (
	"time"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/kernlog"
)

// readLists reads the lists of a served run. A mistake in one is the job's failure, with its place.
func readLists(l lab.Lists) (*results.KnownFailures, *kernlog.List, error) {
	now := time.Now()
	known, report := results.ParseKnownFailures(l.KnownFailures, now)
	if err := report.Err(); err != nil {
		return nil, nil, results.Failf(results.ClassJob, "read the list of known failures: %w", err)
	}
	kernel, report := kernlog.ParseList(l.KernelLog, now)
	if err := report.Err(); err != nil {
		return nil, nil, results.Failf(results.ClassJob, "read the list of kernel messages: %w", err)
	}
	return known, kernel, nil
}
