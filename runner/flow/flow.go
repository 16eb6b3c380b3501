// Package flow is what deploy, boot and test hand to each other. These never import one another, so the slots that one
// fills and another requires are declared here. The private slots of a method are in its own file.
package flow

import (
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/overlay"
	"github.com/gantry-ci/gantry/runner/plan"
)

// File is a deployed file.
type File struct{ Path string }

// Images are the images of a deploy action: as the job has them, which is known when the plan is, and their files,
// which are known when the action has run.
type Images struct {
	Spec  map[string]*jobs.Image
	Files map[string]File
}

// The slots, each of one namespace.
var (
	// Deployed is what a deploy action leaves to the boots of its namespace.
	Deployed = plan.Slot[Images]{Name: "images"} //nolint:gochecknoglobals // the name of a slot, never changed
	// Shell is what a boot leaves to the tests.
	Shell = plan.Slot[Session]{Name: "a shell", Connection: true} //nolint:gochecknoglobals // likewise
	// TestOverlay is what the overlay is made of; it is known when the plan is.
	TestOverlay = plan.Slot[*overlay.Spec]{Name: "a deployed test overlay"} //nolint:gochecknoglobals // likewise
	// TestSources are the test definitions that a deploy fetches, by their place in the job; the overlay has them, and a
	// test has to know what they expect.
	TestSources = plan.Slot[map[*jobs.Definition]*jobs.TestDefinition]{ //nolint:gochecknoglobals // likewise
		Name: "test definitions",
	}
)

// Stage says where the test definitions of an action are, as LAVA counts them: its stage among those of its namespace,
// and the number of its first definition, which goes on from stage to stage. An action that is repeated is one stage.
// For any other action they are those of the next stage.
func Stage(b *plan.Builder, m jobs.Method) (stage, first int) {
	for _, other := range b.Actions() {
		if other == m {
			break
		}
		if t, ok := other.(*jobs.TestDefinitions); ok && t.Docker == nil {
			stage, first = stage+1, first+len(t.Definitions)
		}
	}
	return stage, first
}

// Booted are the namespaces of the job to which a boot gives a console.
func Booted(b *plan.Builder) map[string]bool {
	all := map[string]bool{}
	for _, m := range b.Job.Actions {
		if a := m.Base(); a.Section == "boot" {
			all[a.Namespace] = true
		}
	}
	return all
}
