package plan

import (
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/beside"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/overlay"
)

// File is a deployed file.
type File struct{ Path string }

// What flows between deploy, boot and test. A method's private slots are in its own file.
var (
	Images = Slot[map[string]File]{"images"}   //nolint:gochecknoglobals // the name of a slot, never changed
	Shell  = Slot[*console.Session]{"a shell"} //nolint:gochecknoglobals // likewise
)

// Results is the record of what the target sends beside its console; nil where it has no such way, or it could not be
// opened.
var Results = Slot[*beside.Record]{"a results port"} //nolint:gochecknoglobals // likewise

// Deployed are the images of a deploy action as the job has them; they are known when the plan is.
var Deployed = Slot[map[string]*jobs.Image]{"images"} //nolint:gochecknoglobals // likewise

// TestOverlay is what the overlay is made of; it is known when the plan is.
var TestOverlay = Slot[*overlay.Spec]{"a deployed test overlay"} //nolint:gochecknoglobals // likewise

// TestSources are the test definitions that a deploy fetches, by their place in the job; the overlay has them, and a
// test has to know what they expect.
var TestSources = Slot[map[*jobs.Definition]*jobs.TestDefinition]{
	"test definitions",
} //nolint:gochecknoglobals // likewise

// The kinds of undo that methods record.
const (
	UndoRemove = "remove"    // a path
	UndoPower  = "power-off" // the target's name
)

// Stage says where the test definitions of an action are, as LAVA counts them: its stage among those of its namespace,
// and the number of its first definition, which goes on from stage to stage. An action that is repeated is one stage.
// For any other action they are those of the next stage.
func Stage(b *Builder, m jobs.Method) (stage, first int) {
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

// FileLines are the lines between which a target prints a file of results.
func FileLines(file string) (begin, end string) {
	return "-----BEGIN RESULTS " + file + "-----", "-----END RESULTS " + file + "-----"
}
