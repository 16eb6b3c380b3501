package cli

import (
	"errors"
	"os"
	"time"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/jobs/config"
	"github.com/gantry-ci/gantry/jobs/rpc"
	"github.com/gantry-ci/gantry/runner/kernlog"
)

// readList reads one of the lists that come from the repository under test; no path is no list. A mistake in it is said
// with its place, and is the job's failure.
func readList[T any](e *env, path string, parse func(src []byte, now time.Time) (*T, *schema.Report)) (*T, error) {
	if path == "" {
		return nil, nil
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, usagef("read the list: %w", err)
	}
	list, report := parse(src, time.Now())
	checked := config.Checked{File: path, Valid: list != nil, Errors: report.Errors, Warnings: report.Warnings}
	if err := checked.WriteText(e.stderr); err != nil || list == nil {
		return nil, errors.Join(err, exit(jobs.Verdict{Class: jobs.ClassJob}.ExitCode()))
	}
	return list, nil
}

// repositoryLists reads the lists of a served run. A mistake in one is the job's failure, with its place.
func repositoryLists(l rpc.Lists) (*jobs.KnownFailures, *kernlog.List, error) {
	now := time.Now()
	known, report := jobs.ParseKnownFailures(l.KnownFailures, now)
	if err := report.Err(); err != nil {
		return nil, nil, jobs.Failf(jobs.ClassJob, "read the list of known failures: %w", err)
	}
	kernel, report := kernlog.ParseList(l.KernelLog, now)
	if err := report.Err(); err != nil {
		return nil, nil, jobs.Failf(jobs.ClassJob, "read the list of kernel messages: %w", err)
	}
	return known, kernel, nil
}
