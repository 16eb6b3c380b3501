package work

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gantry-ci/gantry/app/ghapi"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/jobs/config"
	"github.com/gantry-ci/gantry/jobs/lab"
)

// expand turns a job of gantry.yml into the intent of its check and runs.
func (w *Workers) expand(ctx context.Context, gh *ghapi.Client, c commit, j *config.Job) (intent, error) {
	switch {
	case j.JobsFrom != nil, j.Lava != nil && j.Lava.Kind != config.InRepository:
		return refusedJob(j, "this version of gantry runs lava: with a file of the repository, board: and vm:"), nil
	case len(j.Needs) > 0:
		return refusedJob(j, "this version of gantry does not run needs:"), nil
	}
	lists, refusal, err := w.lists(ctx, gh, c, j)
	if err != nil {
		return intent{}, err
	}
	if refusal != nil {
		return *refusal, nil
	}
	if j.Lava == nil {
		return w.expandShort(c, j, lists)
	}
	return w.expandLAVA(ctx, gh, c, j, lists)
}

// refusedJob is the intent of a job that is refused at its line of gantry.yml.
func refusedJob(j *config.Job, why string) intent {
	return intent{name: j.Name, path: config.Path, problem: refusedFile(config.Path, &schema.Report{
		Errors: []schema.Problem{{Line: j.Line, Column: j.Column, Path: "jobs." + j.Name, Message: why}},
	})}
}

// expandLAVA reads the job definition that a job names: a run for each value of the matrix.
func (w *Workers) expandLAVA(
	ctx context.Context, gh *ghapi.Client, c commit, j *config.Job, lists lab.Lists,
) (intent, error) {
	src, err := gh.File(ctx, c.repo, j.Lava.Path, c.sha)
	if why, err := fileFault(err, j.Lava.Path); err != nil {
		return intent{}, err
	} else if why != "" {
		return refusedJob(j, why), nil
	}
	i := intent{name: j.Name, path: j.Lava.Path}
	job, report := jobs.ParseJob(src, schema.Strict)
	if report.Valid() && job.DeviceType == "" {
		report.Errors = append(report.Errors, schema.Problem{
			Line: 1, Path: "device_type", Message: "the job names no device type; multinode jobs are not run",
		})
	}
	if !report.Valid() {
		i.problem = refusedFile(i.path, report)
		return i, nil
	}
	for _, v := range j.Variants() {
		i.specs = append(i.specs, runSpec(c, j, v, job, src, lists))
	}
	return i, nil
}

// expandShort expands the short form: a run for each device type and each value of the matrix.
func (w *Workers) expandShort(c commit, j *config.Job, lists lab.Lists) (intent, error) {
	i := intent{name: j.Name, path: config.Path, line: j.Line}
	for _, v := range j.Variants() {
		if len(v.Types) != 1 {
			return refusedJob(j, "this version of gantry does not choose among device types: name one"), nil
		}
		src, err := j.Expand(v, config.Source{URL: w.GitHub.CloneURL(c.repo), Commit: c.sha})
		if err != nil {
			return refusedJob(j, err.Error()), nil
		}
		job, report := jobs.ParseJob(src, schema.Strict)
		if !report.Valid() {
			return i, fmt.Errorf("expand job %q: %w", j.Name, report.Err()) // a bug: we wrote a definition that is not valid
		}
		job.DeviceType, job.Tags = v.Types[0], nil
		i.specs = append(i.specs, runSpec(c, j, v, job, src, lists))
	}
	return i, nil
}

// runSpec describes the run of a variant of a job, whose definition is src.
func runSpec(
	c commit, j *config.Job, v config.Variant, job *jobs.Job, src []byte, lists lab.Lists,
) store.RunSpec {
	name := j.Name
	if of := v.Name(); of != "" {
		name += " (" + of + ")"
	}
	trust := lab.Trusted
	if c.pull.Fork {
		trust = lab.Untrusted
	}
	wait := j.QueueTimeout
	if wait == 0 {
		wait = config.DefaultQueueTimeout
	}
	return store.RunSpec{
		Name:  name,
		Trust: trust,
		Source: lab.Source{
			Repository: c.repo, Ref: fmt.Sprintf("refs/pull/%d/head", c.pull.Number), Commit: c.sha, PullRequest: c.pull.Number,
		},
		TargetType: job.DeviceType, Tags: slices.Concat(job.Tags, v.Tags), Job: src, Lists: lists,
		MaxAttempts: 1 + j.Retry.Infrastructure, QueueTimeout: max(wait, time.Minute),
	}
}
