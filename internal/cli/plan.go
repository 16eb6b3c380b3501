package cli

import (
	"context"
	"encoding/json"

	"github.com/gantry-ci/gantry/runner"
	"github.com/gantry-ci/gantry/runner/plan"
)

type planCmd struct {
	Device  string `required:"" help:"Device file, or the name of a built-in one (qemu-x86_64)."`
	Lenient bool   `help:"Let unknown keys of the job through, as LAVA's server does."`
	Job     string `arg:"" help:"Job definition."`
}

// Run prints the tree, and switches nothing on.
func (c *planCmd) Run(_ context.Context, e *env) error {
	j, t, err := e.load(c.Job, c.Device, mode(c.Lenient))
	if err != nil {
		return err
	}
	p, err := plan.Make(plan.Options{
		Job: j, Target: t, Policy: plan.Policy{Operator: true}, Methods: runner.Methods(), RunID: runID(),
	})
	if err != nil {
		return err
	}
	if e.json {
		return json.NewEncoder(e.stdout).Encode(p.Describe())
	}
	return p.Print(e.stdout)
}
