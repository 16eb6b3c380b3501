package trigger

import (
	"slices"

	"github.com/gantry-ci/gantry/jobs/config"
)

// Facts are what the filters of gantry.yml are applied to.
type Facts struct {
	Action string // of the event; empty for a re-run, to which types: does not apply
	Base   string // branch
	Labels []string
	Draft  bool
	// Files lists the changed files. It is called only if there is a filter of paths.
	Files func() ([]string, error)
}

// Jobs are the jobs that a pull request starts, in the order of the file. If there are none, why says so.
func Jobs(c *config.Config, f Facts) (jobs []*config.Job, why string, err error) {
	on := c.On.PullRequest
	if on == nil {
		return nil, config.Path + " does not name pull_request", nil
	}
	switch {
	case f.Action != "" && !slices.Contains(activities(on), f.Action):
		return nil, "pull_request " + f.Action + " is not among the file's types", nil
	case !passes(f.Base, on.Branches, on.BranchesIgnore):
		return nil, "the base branch is filtered out", nil
	case len(on.Labels) > 0 && !slices.ContainsFunc(on.Labels, func(l string) bool {
		return slices.Contains(f.Labels, l)
	}):
		return nil, "the pull request has none of the file's labels", nil
	}
	if len(on.Paths)+len(on.PathsIgnore) > 0 {
		files, err := f.Files()
		if err != nil {
			return nil, "", err
		}
		if !slices.ContainsFunc(files, func(file string) bool { return passes(file, on.Paths, on.PathsIgnore) }) {
			return nil, "no changed file passes the file's paths", nil
		}
	}
	for _, j := range c.Jobs {
		if len(j.On) == 0 || slices.Contains(j.On, "pull_request") {
			jobs = append(jobs, j)
		}
	}
	if len(jobs) == 0 {
		return nil, "no job is for pull requests", nil
	}
	return jobs, "", nil
}

// activities are the types of the file, by default those that change what is tested.
func activities(on *config.PullRequest) []string {
	if len(on.Types) > 0 {
		return on.Types
	}
	types := []string{"opened", "synchronize", "reopened", "ready_for_review"}
	if len(on.Labels) > 0 {
		types = append(types, "labeled")
	}
	return types
}
