package work

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gantry-ci/gantry/app/checks"
	"github.com/gantry-ci/gantry/app/ghapi"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/app/trigger"
	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/jobs/config"
	"github.com/gantry-ci/gantry/jobs/lab"
)

// configCheck is the check that shows what is wrong with a commit as a whole.
const configCheck = "gantry"

// maxJobs of a file start runs; each costs requests.
const maxJobs = 100

// plan is what a commit's files ask for: nothing, and why, or checks.
type plan struct {
	nothing outcome
	checks  []planned
	refused string // why the delivery is refused though it makes checks
}

// planned is a check with its runs, or with what is wrong.
type planned struct {
	name, path string
	line       int // of the job at path, when that is not its definition
	problem    *checks.Problem
	specs      []store.RunSpec // without key and check
}

// plan reads the commit's files. only is the one job that is wanted; empty: all.
func (q *Queue) plan(ctx context.Context, c commit, action, only string) (plan, error) {
	gh := q.GitHub.Installation(c.installation)
	src, err := gh.File(ctx, c.repo, config.Path, c.sha)
	if errors.Is(err, ghapi.ErrNotFound) {
		return plan{nothing: ignored("there is no %s at %.12s", config.Path, c.sha)}, nil
	}
	if why, err := fileFault(err); err != nil {
		return plan{}, err
	} else if why != "" {
		return configRefused(&schema.Report{Errors: []schema.Problem{{Line: 1, Message: why}}}), nil
	}
	if c.pull.Fork && q.Policy.Forks == trigger.ForksRefused {
		return forkRefused(), nil
	}
	file, report := config.Parse(src)
	if !report.Valid() {
		return configRefused(report), nil
	}
	list, why, err := trigger.Jobs(file, trigger.Facts{
		Action: action, Base: c.pull.Base, Labels: c.pull.Labels, Draft: c.pull.Draft,
		Files: func() ([]string, error) { return gh.PullFiles(ctx, c.repo, c.pull.Number) },
	})
	if err != nil {
		return plan{}, err
	}
	if why != "" {
		return plan{nothing: ignored("%s", why)}, nil
	}
	var p plan
	for _, j := range list[:min(len(list), maxJobs)] {
		if only != "" && j.Name != only {
			continue
		}
		check, err := q.planJob(ctx, gh, c, j)
		if err != nil {
			return plan{}, err
		}
		p.checks = append(p.checks, check)
	}
	if len(p.checks) == 0 {
		p.nothing = ignored("%s has no job %q", config.Path, only)
	}
	return p, nil
}

// planJob reads the definition of a job.
func (q *Queue) planJob(ctx context.Context, gh *ghapi.Client, c commit, j *config.Job) (planned, error) {
	p := planned{name: j.Name, path: config.Path}
	at := func(message string) planned {
		p.problem = refusedFile(p.path, &schema.Report{
			Errors: []schema.Problem{{Line: j.Line, Column: j.Column, Path: "jobs." + j.Name, Message: message}},
		})
		return p
	}
	switch {
	case j.JobsFrom != nil, j.Lava != nil && j.Lava.Kind != config.InRepository:
		return at("this version of gantry runs lava: with a file of the repository, board: and vm:"), nil
	case len(j.Needs) > 0:
		return at("this version of gantry does not run needs:"), nil
	}
	lists, refused, err := q.lists(ctx, gh, c, j)
	if err != nil {
		return p, err
	}
	if refused != nil {
		return *refused, nil
	}
	if j.Lava == nil {
		return q.planSteps(c, j, lists, at)
	}
	src, err := gh.File(ctx, c.repo, j.Lava.Path, c.sha)
	if errors.Is(err, ghapi.ErrNotFound) {
		return at(fmt.Sprintf("there is no file %s at this commit", j.Lava.Path)), nil
	}
	if why, err := fileFault(err); err != nil {
		return p, err
	} else if why != "" {
		return at(why), nil
	}
	p.path = j.Lava.Path
	job, report := jobs.ParseJob(src, schema.Strict)
	if report.Valid() && job.DeviceType == "" {
		report.Errors = append(report.Errors, schema.Problem{
			Line: 1, Path: "device_type", Message: "the job names no device type; multinode jobs are not run",
		})
	}
	if !report.Valid() {
		p.problem = refusedFile(p.path, report)
		return p, nil
	}
	for _, v := range j.Variants() {
		p.specs = append(p.specs, q.spec(c, j, v, job, src, lists))
	}
	return p, nil
}

// planSteps expands the short form: a run for each device type and each value of the matrix.
func (q *Queue) planSteps(c commit, j *config.Job, lists lab.Lists, at func(string) planned) (planned, error) {
	p := planned{name: j.Name, path: config.Path, line: j.Line}
	for _, v := range j.Variants() {
		if len(v.Types) != 1 {
			return at("this version of gantry does not choose among device types: name one"), nil
		}
		src, err := j.Expand(v, config.Source{URL: q.GitHub.CloneURL(c.repo), Commit: c.sha})
		if err != nil {
			return at(err.Error()), nil
		}
		job, report := jobs.ParseJob(src, schema.Strict)
		if !report.Valid() {
			return p, fmt.Errorf("expand job %q: %w", j.Name, report.Err()) // ours to mend: what we wrote is not valid
		}
		job.DeviceType, job.Tags = v.Types[0], nil
		p.specs = append(p.specs, q.spec(c, j, v, job, src, lists))
	}
	return p, nil
}

func (q *Queue) spec(
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

// fileFault tells a file that is wrong, and why, from a failure to read it.
func fileFault(err error) (why string, _ error) {
	if errors.Is(err, ghapi.ErrTooLarge) || errors.Is(err, ghapi.ErrInvalid) {
		return err.Error(), nil
	}
	return "", err
}
