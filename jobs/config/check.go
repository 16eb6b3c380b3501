package config

import (
	"fmt"
	"slices"

	"github.com/gantry-ci/gantry/internal/schema"
)

// applyDefaults gives jobs what they do not set and defaults does.
func (c *Config) applyDefaults() {
	for _, j := range c.Jobs {
		if !j.has["timeout"] {
			j.Timeout = c.Defaults.Timeout
		}
		if !j.has["queue-timeout"] {
			j.QueueTimeout = c.Defaults.QueueTimeout
		}
		if !j.has["retry"] {
			j.Retry = c.Defaults.Retry
		}
		if j.Forks == "" {
			j.Forks = c.Forks
		}
		if j.KernelLog == "" {
			j.KernelLog = c.KernelLog
		}
		if j.KnownFailures == "" {
			j.KnownFailures = c.KnownFailures
		}
		if j.Checks == "" {
			j.Checks = c.Checks
		}
	}
	if c.Required == nil {
		for _, j := range c.Jobs {
			c.Required = append(c.Required, j.Name)
		}
	}
}

// check finds what is wrong between parts of the file.
func (c *Config) check(n *schema.Node, r *schema.Report) {
	if req := n.Get("required"); req != nil {
		for i, x := range req.Items {
			if c.Job(x.Text) == nil {
				r.Add(x, fmt.Sprintf("required[%d]", i), c.unknownJob(x.Text))
			}
		}
	}
	for _, j := range c.Jobs {
		body := n.Get("jobs").Get(j.Name)
		for _, need := range j.Needs {
			at := &schema.Node{Position: need.Position}
			path := "jobs." + j.Name + ".needs"
			switch {
			case c.Job(need.Job) == nil:
				r.Add(at, path, c.unknownJob(need.Job))
			case c.reaches(need.Job, j.Name, map[string]bool{}):
				r.Add(at, path, schema.Fault{
					Message: fmt.Sprintf("the job %q needs itself, by way of %q", j.Name, need.Job), Found: need.Job,
					Expected: "needs without a circle",
				})
			}
		}
		c.checkMatrix(j, body, r)
		if on := body.Get("on"); on != nil {
			c.checkOn(j, on, r)
		}
	}
}

func (c *Config) checkOn(j *Job, on *schema.Node, r *schema.Report) {
	for i, event := range j.On {
		if !c.On.Has(event) {
			at := on
			if on.Kind == schema.List {
				at = on.Items[i]
			}
			r.Add(at, "jobs."+j.Name+".on", schema.Fault{
				Message: fmt.Sprintf("the file's own on does not have %q", event), Found: event,
				Expected: "an event that starts runs of this file",
			})
		}
	}
}

// checkMatrix tries the values that set keys of vm.
func (c *Config) checkMatrix(j *Job, body *schema.Node, r *schema.Report) {
	if j.VM == nil {
		return
	}
	for _, a := range j.Matrix.Axes {
		values := body.Get("matrix").Get(a.Name)
		for i, v := range a.Values {
			if _, err := j.VM.with(map[string]string{a.Name: v}); err != nil {
				r.Add(values.Items[i], fmt.Sprintf("jobs.%s.matrix.%s[%d]", j.Name, a.Name, i), schema.Fault{
					Message: err.Error(), Found: v,
				})
			}
		}
	}
}

// Has says that the event starts runs.
func (t *Triggers) Has(event string) bool {
	return map[string]bool{
		"pull_request": t.PullRequest != nil, "push": t.Push != nil, "workflow_run": t.WorkflowRun != nil,
		"merge_group": t.MergeGroup != nil, "schedule": len(t.Schedule) > 0, "manual": true,
	}[event]
}

func (c *Config) unknownJob(name string) schema.Fault {
	var names []string
	for _, j := range c.Jobs {
		names = append(names, j.Name)
	}
	return schema.Fault{
		Message: fmt.Sprintf("there is no job %q", name), Found: name, Expected: fmt.Sprintf("one of %q", names),
	}
}

// reaches says that from needs to, through others or by being it. seen keeps it from going in circles.
func (c *Config) reaches(from, to string, seen map[string]bool) bool {
	if from == to {
		return true
	}
	j := c.Job(from)
	if j == nil || seen[from] {
		return false
	}
	seen[from] = true
	return slices.ContainsFunc(j.Needs, func(n Need) bool { return c.reaches(n.Job, to, seen) })
}
