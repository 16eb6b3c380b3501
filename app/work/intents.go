package work

import (
	"context"
	"errors"

	"github.com/gantry-ci/gantry/app/checks"
	"github.com/gantry-ci/gantry/app/ghapi"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/app/trigger"
	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs/config"
)

// configCheck is the name of the check that shows what is wrong with a commit as a whole.
const configCheck = "gantry"

// maxJobs is how many jobs of a file start runs; each costs requests.
const maxJobs = 100

// intents are what the files of a commit ask for.
type intents struct {
	checks  []intent
	none    outcome // of the delivery when there are no checks
	refused string  // why the delivery is refused though there are checks that say so
}

// intent is a check to create, with its runs or with the problem that keeps it from having any.
type intent struct {
	name, path string
	line       int // of the job in the file at path, when that file is not the job definition
	problem    *checks.Problem
	specs      []store.RunSpec // without key and check
}

// intents reads the files of the commit. action is that of the pull request's event. only is the job that is wanted;
// empty is all.
func (w *Workers) intents(ctx context.Context, c commit, action, only string) (intents, error) {
	gh := w.GitHub.Installation(c.installation)
	src, err := gh.File(ctx, c.repo, config.Path, c.sha)
	if errors.Is(err, ghapi.ErrNotFound) {
		return intents{none: ignored("there is no %s at %.12s", config.Path, c.sha)}, nil
	}
	if why, err := fileFault(err, config.Path); err != nil {
		return intents{}, err
	} else if why != "" {
		return configRefused(&schema.Report{Errors: []schema.Problem{{Line: 1, Message: why}}}), nil
	}
	if c.pull.Fork && w.Policy.Forks == trigger.ForksRefused {
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
		return intents{}, err
	}
	if why != "" {
		return intents{none: ignored("%s", why)}, nil
	}
	var in intents
	for _, j := range list[:min(len(list), maxJobs)] {
		if only != "" && j.Name != only {
			continue
		}
		i, err := w.expand(ctx, gh, c, j)
		if err != nil {
			return intents{}, err
		}
		in.checks = append(in.checks, i)
	}
	if len(in.checks) == 0 {
		in.none = ignored("%s has no job %q", config.Path, only)
	}
	return in, nil
}
