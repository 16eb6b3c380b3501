package cli

import (
	"context"
	"encoding/json"

	"github.com/gantry-ci/gantry/runner"
	"github.com/gantry-ci/gantry/runner/plan"
)

type planCmd struct {
	Device  string `help:"Device file, or the name of a built-in one (qemu-x86_64). Needed for the tree."`
	Lenient bool   `help:"Let unknown keys of the job through, as LAVA's server does."`
	Show    string `enum:"tree,job" default:"tree" help:"${show_help}"`
	Name    string `name:"job" help:"With --show=job: only this job of the file."`
	hostFlags

	Job string `arg:"" help:"Job definition; with --show=job, a .github/gantry.yml."`
}

// Run prints the tree. It switches nothing on.
func (c *planCmd) Run(_ context.Context, e *env) error {
	if c.Show == "job" {
		return e.showJobs(c.Job, c.Name)
	}
	if c.Device == "" {
		return usagef("missing flags: --device=STRING")
	}
	j, t, err := e.load(c.Job, c.Device, mode(c.Lenient))
	if err != nil {
		return err
	}
	p, err := plan.Make(plan.Options{
		Job: j, Target: t, Host: c.config().Planned(), Policy: plan.Policy{Operator: true}, Methods: runner.Methods(),
		RunID: runID(),
	})
	if err != nil {
		return err
	}
	if e.json {
		return json.NewEncoder(e.stdout).Encode(p.Describe())
	}
	return p.Print(e.stdout)
}
