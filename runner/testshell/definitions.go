package testshell

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/signal"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/overlay"
	"github.com/gantry-ci/gantry/runner/plan"
)

// definitions runs LAVA test definitions in the target's shell.
func definitions(b *plan.Builder, p *jobs.TestDefinitions, retries int) {
	b.Name("lava-test-retry")
	if p.Docker != nil {
		b.Errorf("docker is valid, but gantry does not execute it yet")
		return
	}
	b.Budget()
	session := plan.Require(b, flow.Shell)
	spec := *plan.Require(b, flow.TestOverlay)
	if spec == nil {
		return // refused already
	}
	if deploysItself(b, p) {
		b.ErrorAt(p.At("connection-namespace").Line, "the definitions are in what namespace %q deploys, and the shell is "+
			"that of namespace %q, which boots what it deploys itself", p.Namespace, p.ConnectionNamespace)
	}
	index, first := flow.Stage(b, p)
	if _, err := expected(p, first, func(d *jobs.Definition) *jobs.TestDefinition { return d.Repository }); err != nil {
		b.Errorf("%w", err)
	}
	s := stage{
		session: session, spec: spec, index: index, first: first, job: p, retries: retries,
		fetched: plan.Provide(b, flow.TestSources), runs: plan.Provide(b, runsSlot), group: provideGroup(b),
		namespace: p.Namespace,
	}
	if d := b.Target.Device; d != nil {
		s.login = d.ResultsSSH
	}
	b.NotRun(s.notRun)
	plan.Restore(b, flow.Shell, s.interrupt)
	b.Step("lava-test-shell", results.ClassInfrastructure, s.execute)
}

// deploysItself reports whether the shell that the action takes from another namespace is that of another system: it
// has its own images, and so not this namespace's overlay.
func deploysItself(b *plan.Builder, p *jobs.TestDefinitions) bool {
	if p.ConnectionNamespace == "" || p.ConnectionNamespace == p.Namespace {
		return false
	}
	return slices.ContainsFunc(b.Job.Actions, func(m jobs.Method) bool {
		return m.Base().Section == "deploy" && m.Base().Namespace == p.ConnectionNamespace
	})
}

// expected is what the parser has to know of the definitions, the first of which has the number first. Source is a
// definition itself, or nil when it is not there yet.
func expected(
	p *jobs.TestDefinitions, first int, source func(*jobs.Definition) *jobs.TestDefinition,
) ([]signal.Definition, error) {
	var all []signal.Definition
	var errs []error
	for i := range p.Definitions {
		d := &p.Definitions[i]
		def := signal.Definition{Run: (&overlay.Definition{Index: first + i, Name: d.Name}).Run(), Expected: d.Expected}
		if t := source(d); t != nil {
			def.Expected = append(slices.Clip(def.Expected), t.Expected...)
			def.Fixup = t.Parse.Fixupdict
			if t.Parse.Pattern != "" {
				re, err := signal.CompilePattern(t.Parse.Pattern)
				if err != nil {
					errs = append(errs, fmt.Errorf("line %d: %w", d.Line, err))
				}
				def.Pattern = re
			}
		}
		all = append(all, def)
	}
	return all, errors.Join(errs...)
}

// source is a definition, inline or fetched.
func (s *stage) source(d *jobs.Definition) *jobs.TestDefinition {
	if d.Repository != nil {
		return d.Repository
	}
	return (*s.fetched)[d]
}
