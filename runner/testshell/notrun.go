package testshell

import (
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/plan"
)

// reportNotRun reports a suite that did not begin as missing, and the cases that are known of it, with why.
func reportNotRun(r *plan.Run, suite string, names []string, why string) {
	missing := func(suite, name string) {
		r.Emit(results.Event{Case: &results.Case{Suite: suite, Case: name, Result: results.Missing, Message: why}})
	}
	missing(results.PipelineSuite, suite)
	reported := map[string]bool{"": true}
	for _, name := range names {
		if !reported[name] {
			reported[name] = true
			missing(suite, name)
		}
	}
}

// notRun reports the definitions of a stage that did not begin, and what is expected of them.
func (s *stage) notRun(r *plan.Run, why string) {
	defs, err := expected(s.job, s.first, s.source)
	if err != nil {
		r.Logf("warning", "%v", err) // it is about a pattern: the names are right
	}
	for _, d := range defs {
		reportNotRun(r, d.Run, d.Expected, why)
	}
}
