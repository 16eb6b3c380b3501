package overlay

import (
	"fmt"
	"path"
)

// Again is another run of some definitions of a stage, in the same boot: a stage of its own, with its own numbers and
// manifest, that runs what the first one installed.
type Again struct {
	spec  *Spec
	stage string // its folder
	from  string // the stage's
	runs  []string
}

// Again has the definitions of stage i run again that are named, as in Definition.Run; try is 2 for the first time.
func (s *Spec) Again(i, try int, runs []string) Again {
	from := path.Join(s.root(), s.stage(i))
	return Again{s, path.Join(from, fmt.Sprintf("again%d", try)), from, runs}
}

// Commands are typed into the target's shell, in this order. Run is as in Spec.Commands.
func (a Again) Commands(run int) []string {
	all := []string{"mkdir -p " + a.stage}
	for _, run := range a.runs { // a line each: a terminal takes 4096 bytes at once
		all = append(all, fmt.Sprintf("echo %s >>%s/lava-test-runner.conf", path.Join(a.from, "tests", run), a.stage))
	}
	return append(all, fmt.Sprintf("GANTRY_AGAIN=1 %s/bin/lava-test-runner %s %d", a.spec.root(), a.stage, run))
}

// ManifestCommand is typed to have the results repeated when the manifest came in damaged.
func (a Again) ManifestCommand() string { return a.spec.root() + "/bin/gantry-manifest " + a.stage }
