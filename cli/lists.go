package cli

import (
	"errors"
	"os"
	"time"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs/config"
	"github.com/gantry-ci/gantry/results"
)

// readList reads a list that belongs to the repository under test. An empty path is no list. Mistakes in it are printed
// with their places, and are the job's failure.
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
