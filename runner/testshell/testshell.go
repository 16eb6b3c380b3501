// Package testshell executes test kinds: one file each.
package testshell

import (
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/plan"
)

// Methods is the table of what gantry executes. Retries is how often the definitions of failed cases are run again.
func Methods(retries int) []plan.Method {
	return []plan.Method{
		plan.For(func(b *plan.Builder, p *jobs.TestDefinitions) { definitions(b, p, retries) }),
		plan.For(interactive), plan.For(monitors),
	}
}
