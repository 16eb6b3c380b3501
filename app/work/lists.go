package work

import (
	"context"
	"errors"
	"fmt"

	"github.com/gantry-ci/gantry/app/ghapi"
	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs/config"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

// maxList is the largest list sent to a runner, in bytes: as much as the readers of lists take. Both lists and the
// job's definition together stay below rpc.MaxMessage.
const maxList = 1 << 20

// lists reads the job's lists of known failures and of kernel messages at the commit. A list that is missing or wrong
// refuses the job: whoever named it expects it to hold.
func (w *Workers) lists(
	ctx context.Context, gh *ghapi.Client, c commit, j *config.Job,
) (l lab.Lists, refusal *intent, err error) {
	l.TestRetries = j.Retry.Tests
	for _, file := range []struct {
		key, path string
		to        *[]byte
	}{{"known-failures", j.KnownFailures, &l.KnownFailures}, {"kernel-log", j.KernelLog, &l.KernelLog}} {
		if file.path == "" {
			continue
		}
		src, err := gh.File(ctx, c.repo, file.path, c.sha)
		why, err := fileFault(err, file.path)
		if err != nil {
			return l, nil, err
		}
		if why == "" && len(src) > maxList {
			why = fmt.Sprintf("%s has %d bytes; at most %d are read", file.path, len(src), maxList)
		}
		if why != "" {
			return l, &intent{name: j.Name, path: config.Path, problem: refusedFile(config.Path, &schema.Report{
				Errors: []schema.Problem{{
					Line: j.Line, Column: j.Column, Path: "jobs." + j.Name + "." + file.key, Message: why,
				}},
			})}, nil
		}
		*file.to = src
	}
	// The list of kernel messages is read by the runner, which reports what is wrong with it.
	if _, report := results.ParseKnownFailures(l.KnownFailures, w.Now()); !report.Valid() {
		return l, &intent{name: j.Name, path: j.KnownFailures, problem: refusedFile(j.KnownFailures, report)}, nil
	}
	return l, nil, nil
}

// fileFault tells a file that is missing or unusable, and why, from a failure to read it.
func fileFault(err error, path string) (why string, _ error) {
	switch {
	case errors.Is(err, ghapi.ErrNotFound):
		return fmt.Sprintf("there is no file %s at this commit", path), nil
	case errors.Is(err, ghapi.ErrTooLarge), errors.Is(err, ghapi.ErrInvalid):
		return err.Error(), nil
	}
	return "", err
}
