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

// maxList is the largest list sent to a runner, in bytes: what the readers of lists take, and with the job's definition
// below rpc.MaxMessage.
const maxList = 1 << 20

// lists reads what the repository says of the job's results at the commit. A list that is not there, or has a mistake,
// is the problem returned: whoever wrote its name wants it to hold.
func (q *Queue) lists(
	ctx context.Context, gh *ghapi.Client, c commit, j *config.Job,
) (l lab.Lists, problem *planned, err error) {
	l.TestRetries = j.Retry.Tests
	for _, file := range []struct {
		key, path string
		to        *[]byte
	}{{"known-failures", j.KnownFailures, &l.KnownFailures}, {"kernel-log", j.KernelLog, &l.KernelLog}} {
		if file.path == "" {
			continue
		}
		src, err := gh.File(ctx, c.repo, file.path, c.sha)
		why, err := missing(err, file.path)
		if err != nil {
			return l, nil, err
		}
		if why == "" && len(src) > maxList {
			why = fmt.Sprintf("%s has %d bytes; at most %d are read", file.path, len(src), maxList)
		}
		if why != "" {
			return l, &planned{name: j.Name, path: config.Path, problem: refusedFile(config.Path, &schema.Report{Errors: []schema.Problem{{
				Line: j.Line, Column: j.Column, Path: "jobs." + j.Name + "." + file.key, Message: why,
			}}})}, nil
		}
		*file.to = src
	}
	// The list of kernel messages is the runner's language: it says there what is wrong.
	if _, report := results.ParseKnownFailures(l.KnownFailures, q.Now()); !report.Valid() {
		return l, &planned{name: j.Name, path: j.KnownFailures, problem: refusedFile(j.KnownFailures, report)}, nil
	}
	return l, nil, nil
}

// missing tells a file that is wrong, or not there, and why, from a failure to read it.
func missing(err error, path string) (why string, _ error) {
	if errors.Is(err, ghapi.ErrNotFound) {
		return fmt.Sprintf("there is no file %s at this commit", path), nil
	}
	return fileFault(err)
}
