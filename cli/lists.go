package cli

import (
	"errors"
	"os"
	"time"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs/config"
	"github.com/gantry-ci/gantry/results"
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
		return nil, errors.Join(err, exit(results.Verdict{Class: results.ClassJob}.ExitCode()))
	}
	return list, nil
}
