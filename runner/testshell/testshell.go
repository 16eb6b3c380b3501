// Package testshell executes test kinds: one file each.
package testshell

import "github.com/gantry-ci/gantry/runner/plan"

// Methods is the table of what gantry executes.
func Methods() []plan.Method {
	return []plan.Method{plan.For(definitions), plan.For(interactive), plan.For(monitors)}
}
