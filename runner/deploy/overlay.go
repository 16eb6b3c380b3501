package deploy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/internal/shell"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/format"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/overlay"
	"github.com/gantry-ci/gantry/runner/plan"
)

// testOverlay adds the steps that fetch the test definitions which follow a deploy in its namespace, build LAVA's
// overlay for them and put it into the images. Os is the distribution that the job names.
func testOverlay(
	b *plan.Builder, m jobs.Method, os string, images map[string]*jobs.Image, files map[string]*flow.File,
) {
	l := newLibrary(b, os)
	spec := specOf(b, m, l)
	if len(spec.Stages) == 0 {
		return
	}
	*plan.Provide(b, flow.TestOverlay) = spec
	into, refused := destinations(images)
	for _, r := range refused {
		if r.line == 0 {
			b.Errorf("%s", r.text)
		} else {
			b.ErrorAt(r.line, "%s", r.text)
		}
	}
	l.addSteps(b)
	var built *overlay.Content
	b.Step("lava-overlay", results.ClassJob, func(_ context.Context, r *plan.Run) (err error) {
		if built, err = overlay.Build(spec); err == nil {
			r.Logf("debug", "overlay %s: %d files, %d bytes", built.Root(), len(built.Paths()), built.Size())
		}
		return err
	})
	for _, d := range into {
		b.Step(applied(d.kind), results.ClassInfrastructure, func(ctx context.Context, r *plan.Run) error {
			f := files[d.name]
			res, err := overlay.Sinks()[d.kind](ctx, []*overlay.Content{built}, overlay.Image{Path: f.Path})
			if err == nil {
				f.Path = res.Path
				r.Logf("info", "%s: the overlay is %s", d.name, res.How)
			}
			return err
		})
	}
}

// applied is what LAVA calls the action that puts its overlay into an image.
func applied(kind overlay.Kind) string {
	if kind == overlay.KindRamdisk {
		return "apply-overlay-ramdisk"
	}
	return "append-overlays"
}

// specOf is what the overlay of a deploy is made of: every test action of the namespace is a stage, and the overlay has
// those that follow it.
func specOf(b *plan.Builder, m jobs.Method, l *library) *overlay.Spec {
	s := &overlay.Spec{ID: b.RunID}
	if d := b.Target.Device; d != nil {
		s.Self = d.Name
		s.Shell, s.ResultsDir = d.Constants.TestShell, d.Constants.TestResultsDir
		s.Environment = append(s.Environment, overlay.Var{Name: "LAVA_DEVICE_HOSTNAME", Value: d.Name},
			overlay.Var{Name: "LAVA_DEVICE_TYPE", Value: d.Type})
		s.ResultsFile = d.ResultsSSH != nil
	}
	if m := b.Job.Protocols.Multinode; m != nil { // the plan refuses more than one role
		for role := range m.Roles {
			s.Group = []overlay.Member{{Name: b.Target.Name, Role: role}}
		}
		s.Self = b.Target.Name
	}
	s.ResultsDev = b.Target.ResultsNode()
	for _, name := range slices.Sorted(maps.Keys(b.Job.Environment)) {
		s.Environment = append(s.Environment, environment(name, b.Job.Environment[name])...)
	}
	for _, name := range slices.Sorted(maps.Keys(b.Job.Secrets)) {
		s.Secrets = append(s.Secrets, overlay.Var{Name: name, Value: b.Job.Secrets[name]})
	}
	s.Stages = stages(b.Actions(), m, func(t *jobs.TestDefinitions) []overlay.Definition { return definitions(b, t, l) })
	return s
}

// stages are those of a namespace's actions up to the last that is in the overlay of a deploy: the ones between it and
// the next deploy with an overlay. Without test actions in this overlay the result is empty.
func stages(
	actions []jobs.Method, deploy jobs.Method, definitions func(*jobs.TestDefinitions) []overlay.Definition,
) (all []overlay.Stage) {
	last, within := 0, false
	for _, m := range actions {
		switch t := m.(type) {
		case *jobs.DeployTmpfs: // the deploys with an overlay
			within = m == deploy
		case *jobs.TestDefinitions:
			switch {
			case t.Docker != nil: // beside the target
			case within:
				all = append(all, overlay.Stage{Definitions: definitions(t)})
				last = len(all)
			default:
				all = append(all, overlay.Stage{Elsewhere: true})
			}
		}
	}
	return all[:last]
}

// definitions are those of a stage. What is known of one that is fetched is filled in when it is there.
func definitions(b *plan.Builder, t *jobs.TestDefinitions, l *library) []overlay.Definition {
	stage, first := flow.Stage(b, t)
	all := make([]overlay.Definition, len(t.Definitions))
	for i := range t.Definitions {
		d, def := &t.Definitions[i], &all[i]
		*def = overlay.Definition{
			Name: d.Name, Index: first + i, UUID: fmt.Sprintf("%s_%d.%d", b.RunID, stage+1, i+1), Skip: d.SkipInstall,
			Signal: d.LavaSignal,
		}
		if d.Repository == nil {
			l.addFetched(b, d, def)
		} else {
			l.addInline(b, d, def)
		}
	}
	return all
}

// fill puts what a test definition says into the overlay.
func fill(def *overlay.Definition, t *jobs.TestDefinition, job map[string]*schema.Node, os string) {
	def.Source, def.Params, def.Steps, def.AtEnd = source(t), params(t.Parameters, job), t.Steps, printed(t)
	def.Metadata = []overlay.Var{{Name: "TESTDEF_NAME", Value: t.Metadata.Name}}
	def.Install = overlay.Install{Keys: t.Install.Keys, Sources: t.Install.Sources, Steps: t.Install.Steps}
	def.Install.Deps = slices.Concat(
		t.Install.Deps, t.Install.DistroDeps[distribution(os)],
	) // the distribution's own come last, as LAVA has it
}

// distribution is what LAVA calls the distribution that a deploy action's os installs.
func distribution(os string) string { return strings.TrimSuffix(os, "_installer") }

// printed is the command that prints a definition's file of results between two lines, or "".
func printed(t *jobs.TestDefinition) string {
	if t.Parse.Format == "" || t.Parse.File == "" {
		return ""
	}
	begin, end := format.FileLines(t.Parse.File)
	return "echo " + shell.Quote(begin) + "; cat -- " + shell.Quote(t.Parse.File) + "; echo; echo " + shell.Quote(end)
}

// source is testdef.yaml: the definition as it was read, anchors and merges resolved.
func source(def *jobs.TestDefinition) []byte {
	b, err := yaml.Marshal(def.Source.Value())
	if err != nil {
		return nil // nothing reads it but people
	}
	return b
}
