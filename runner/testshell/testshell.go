// Package testshell executes the test methods: definitions, which run LAVA test definitions by helper scripts in the
// target's shell; interactive, which types commands and reads their answers; and monitors, which only read. All three
// report cases as events of the run.
//
// Definitions are the long way. A stage is one test action with definitions; each time its runner, lava-test-runner, is
// started in the target is a run, and a run has a number that its records carry. From the byte to the case:
//
//	console ──▶ intake ──▶ signal.Parser ──▶ reporter ──▶ events of the run
//	device  ──▶ copies ──┘                          └──▶ operator ──▶ answers typed on the console
//
// One goroutine, the step's own, owns intake, copies, parser and reporter. Two others read what may block, the console
// and the record of the device, and hand it bytes by channels. The operator, who types answers, has a goroutine of its
// own, because typing may block as well. The step starts them and waits for them.
//
// A run's output is over for one of the reasons in end.go, and decide, a pure function, makes of that and of what the
// run has reported the error that the step ends with.
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
