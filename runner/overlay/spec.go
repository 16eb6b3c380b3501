package overlay

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gantry-ci/gantry/results"
)

// Defaults of a Spec.
const (
	DefaultShell      = "/bin/sh"  // the device's constants.posix.lava_test_sh_cmd
	DefaultResultsDir = "/lava-%s" // the device's constants.posix.lava_test_results_dir
)

// Where signals go.
const (
	SignalStdout = "stdout"
	SignalKmsg   = "kmsg" // to /dev/kmsg, so that the kernel's own lines cannot split them
)

// Parts of a test definition's install section that skip_install names.
const (
	SkipKeys     = "keys"
	SkipSources  = "sources"
	SkipDeps     = "deps"
	SkipSteps    = "steps"
	SkipGitRepos = "git-repos"
	SkipAll      = "all"
)

// Spec is all that an overlay is made of.
type Spec struct {
	ID          string // of the run: N of /lava-N
	Shell       string // "" is DefaultShell
	ResultsDir  string // a pattern with one %s for the ID; "" is DefaultResultsDir
	Environment []Var  // exported before any test; LAVA_JOB_ID is added when absent
	Secrets     []Var  // in the file secrets, which a test may read
	Target      Target
	Group       []Member // the devices of a multinode job; empty without
	Self        string   // this device's name in Group, or else its host name
	ResultsDev  string   // a device in the target that gets a copy of each record: /dev/virtio-ports/…; "" for none
	ResultsFile bool     // a file of the overlay gets a copy of each record: ResultsPath
	Stages      []Stage  // one for each test action of kind definitions, in the job's order
}

// Var is a variable of the environment, or a parameter.
type Var struct{ Name, Value string }

// Target is what the device file has about the device; lava-target-ip and the like print it.
type Target struct {
	IP, MAC      string
	Storage      []Var // name and device node
	ProbeIP      string
	ProbeChannel string
}

// Member is a device of a multinode job.
type Member struct{ Name, Role string }

// Stage is a test action.
type Stage struct {
	Name        string // "" is the stage's index
	Definitions []Definition
	Elsewhere   bool // in the overlay of another deploy: it has its number here, and nothing else
}

// Definition is a test definition, ready to be run: repositories are fetched, parameters merged.
type Definition struct {
	Name     string // [-_a-zA-Z0-9.]+; the suite is INDEX_NAME
	Index    int    // in its stage
	UUID     string // LAVA's, such as 7_1.1.3.1
	Source   []byte // testdef.yaml
	Metadata []Var  // testdef_metadata
	Params   []Var  // the definition's defaults, with the job's values over them
	Install  Install
	Skip     []string // skip_install
	Steps    []string // run.steps
	AtEnd    string   // a command after the last step, or after the one that failed; "" for none
	Signal   string   // lava-signal: SignalStdout ("" too) or SignalKmsg
	Tree     fs.FS    // the repository or archive the definition came from; nil for inline
}

// Install is the install section. Keys, Sources and Deps are those of the target's distribution.
type Install struct {
	Keys, Sources, Deps, Steps []string
	Repos                      []Repo
}

// Repo is a cloned repository of install.git-repos.
type Repo struct {
	Dir  string // below the definition's folder
	Tree fs.FS
}

// Run is the name of the definition's run, and of its suite: "0_smoke".
func (d *Definition) Run() string { return fmt.Sprintf("%d_%s", d.Index, d.Name) }

func (d *Definition) skips(part string) bool {
	return slices.Contains(d.Skip, part) || slices.Contains(d.Skip, SkipAll)
}

// Commands are typed into the target's shell, in this order, to run stage i. Run is the number that its records carry:
// no other run of a stage in the same target has it.
func (s *Spec) Commands(i, run int) []string {
	root := s.root()
	return []string{
		"export SHELL=" + s.shell(),
		". " + root + "/environment",
		fmt.Sprintf("%s/bin/lava-test-runner %s %d", root, path.Join(root, s.stage(i)), run),
	}
}

// ManifestCommand is typed to have stage i repeat its results when the manifest came in damaged.
func (s *Spec) ManifestCommand(i int) string {
	root := s.root()
	return root + "/bin/gantry-manifest " + path.Join(root, s.stage(i))
}

// ResultsPath is the file in the target that gets a copy of each record, where there is one.
func (s *Spec) ResultsPath() string { return s.root() + "/gantry/results" }

// ResultsCommand is typed before Commands where the target has a results device or file: what it gets begins with
// "@TOKEN ".
func (s *Spec) ResultsCommand(token string) string { return "export GANTRY_RESULTS=" + token }

func (s *Spec) root() string {
	pattern := s.ResultsDir
	if pattern == "" {
		pattern = DefaultResultsDir
	}
	return path.Clean("/" + strings.Replace(pattern, "%s", s.ID, 1))
}

func (s *Spec) shell() string {
	if s.Shell == "" {
		return DefaultShell
	}
	return s.Shell
}

func (s *Spec) stage(i int) string {
	if name := s.Stages[i].Name; name != "" {
		return name
	}
	return strconv.Itoa(i)
}

// check refuses what would end up as shell syntax or outside the overlay. All of it comes from job and device files.
func (s *Spec) check() error {
	word := regexp.MustCompile(`^[-_a-zA-Z0-9.]+$`)
	place := regexp.MustCompile(`^/[-_a-zA-Z0-9./]+$`)
	variable := regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	switch {
	case !word.MatchString(s.ID):
		return results.Failf(results.ClassBug, "build overlay: run id %q is not a name", s.ID)
	case !place.MatchString(s.root()):
		return results.Failf(results.ClassJob, "build overlay: lava_test_results_dir %q is not a plain path", s.ResultsDir)
	case !place.MatchString(s.shell()):
		return results.Failf(results.ClassJob, "build overlay: lava_test_sh_cmd %q is not the path of a shell", s.Shell)
	}
	vars := slices.Concat(s.Environment, s.Secrets)
	for i := range s.Stages {
		if !isName(word, s.stage(i)) {
			return results.Failf(results.ClassBug, "build overlay: stage %q is not a name", s.stage(i))
		}
		for _, d := range s.Stages[i].Definitions {
			if !isName(word, d.Name) {
				return results.Failf(
					results.ClassJob, "build overlay: test definition's name %q has other characters than letters, digits, ., _ and -",
					d.Name,
				)
			}
			for _, r := range d.Install.Repos {
				if !fs.ValidPath(r.Dir) {
					return results.Failf(
						results.ClassJob, "build overlay: git repository's destination %q is not below the test's folder", r.Dir,
					)
				}
			}
			vars = append(vars, d.Params...)
		}
	}
	for _, v := range vars {
		if !variable.MatchString(v.Name) {
			return results.Failf(results.ClassJob, "build overlay: %q is not the name of a shell variable", v.Name)
		}
		if strings.ContainsRune(v.Value, 0) {
			return results.Failf(results.ClassJob, "build overlay: the value of %s has a NUL byte", v.Name)
		}
	}
	return nil
}

func isName(word *regexp.Regexp, s string) bool { return word.MatchString(s) && s != "." && s != ".." }
