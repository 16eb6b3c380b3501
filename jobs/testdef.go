package jobs

import (
	"regexp"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/results"
)

// TestDefinition is a Lava-Test Test Definition 1.0.
type TestDefinition struct {
	Metadata   Metadata
	Install    Install
	Parameters map[string]*schema.Node // defaults; the job's win
	Parse      Parse
	Steps      []string // of run
	Expected   []string // cases
	Source     *schema.Node
}

// TestFormat is what metadata.format must say.
const TestFormat = "Lava-Test Test Definition 1.0"

// Metadata describes a test definition.
type Metadata struct {
	Format, Name, Description                   string
	Environment, Devices, Maintainer, Scope, OS []string
}

// Fields declares the block.
func (m *Metadata) Fields(f *schema.Fields) {
	f.Required("format", schema.OneOf(&m.Format, TestFormat), "Which format it is.")
	f.Required("name", schema.Text(&m.Name), "What the test is called.")
	f.Optional("description", schema.Text(&m.Description), "What it tests.")
	f.Optional("environment", schema.Texts(&m.Environment), "What runs the test, such as lava-test-shell.")
	f.Optional("devices", schema.Texts(&m.Devices), "The device types it is for.")
	f.Optional("maintainer", schema.Texts(&m.Maintainer), "Whom to ask.")
	f.Optional("scope", schema.Texts(&m.Scope), "What it is about.")
	f.Optional("os", schema.Texts(&m.OS), "The distributions it is for.")
}

// Install is what is done before a test runs.
type Install struct {
	Deps                 []string
	DistroDeps           map[string][]string // by distribution, of deps-NAME
	Keys, Sources, Steps []string
	GitRepos             []GitRepo
}

// GitRepo is cloned next to the test.
type GitRepo struct{ URL, Branch, Destination string }

// Fields declares a repository with details.
func (g *GitRepo) Fields(f *schema.Fields) {
	f.Required("url", schema.Text(&g.URL), "What to clone.")
	f.Optional("branch", schema.Text(&g.Branch), "The branch.")
	f.Optional("destination", schema.Text(&g.Destination), "The folder.")
}

func gitRepo(g *GitRepo) schema.Type {
	return schema.Either("a URL, or a mapping with a url", schema.Text(&g.URL), schema.Sub(g))
}

var distroDepsRE = regexp.MustCompile(`^deps-.+`)

// Fields declares the block.
func (i *Install) Fields(f *schema.Fields) {
	f.Optional("deps", schema.Texts(&i.Deps), "Packages to install.")
	f.Optional("git-repos", schema.ListOf(&i.GitRepos, gitRepo), "Repositories to clone.")
	f.Optional("keys", schema.Texts(&i.Keys), "Signing keys of package sources.")
	f.Optional("steps", schema.Texts(&i.Steps), "Commands, with network.")
	f.Optional("sources", schema.Texts(&i.Sources), "Package sources.")
	i.DistroDeps = map[string][]string{}
	f.Rest(schema.Matching(new(string), distroDepsRE, "deps-DISTRIBUTION"), schema.Each(func(name string) schema.Type {
		var deps []string
		return schema.Then(schema.Texts(&deps), func() { i.DistroDeps[name[min(len("deps-"), len(name)):]] = deps })
	}))
}

// Parse finds cases in the output of a test that does not report them.
type Parse struct {
	Pattern   string // Python regular expression with groups test_case_id, result, measurement, units
	Fixupdict map[string]string
	Format    string // gantry's own: tap, junit, …
	File      string // gantry's own: where the target has it; "" for its console
}

// Fields declares the block.
func (p *Parse) Fields(f *schema.Fields) {
	f.Optional(
		"pattern", schema.Text(&p.Pattern), "Regular expression with the groups test_case_id, result, measurement and units.",
	)
	f.Optional("fixupdict", fixupdict(&p.Fixupdict), "What the test's own words for results mean.")
	f.Optional("format", schema.OneOf(&p.Format, "tap", "ktap", "kunit", "kselftest", "ltp", "junit", "gtest"),
		"Format of the results that the test prints. Gantry's own; LAVA passes over it.")
	f.Optional("file", schema.Text(&p.File), "With format: the file that the test leaves, printed after its last step.")
}

func fixupdict(dst *map[string]string) schema.Type {
	return schema.MapOf(dst, func(s *string) schema.Type {
		return schema.OneOf(s, results.Pass, results.Fail, results.Skip, results.Unknown)
	})
}

type steps struct{ dst *[]string }

func (s steps) Fields(f *schema.Fields) {
	f.Required("steps", schema.Texts(s.dst), "Commands; the first that fails ends the test.")
}

// Fields declares the file.
func (t *TestDefinition) Fields(f *schema.Fields) {
	f.Required("metadata", schema.Sub(&t.Metadata), "What the test is.")
	f.Optional("install", schema.Sub(&t.Install), "What is done before the test runs.")
	params := schema.Nodes(&t.Parameters)
	f.Optional("parameters", params, "Variables of the steps, with their defaults.")
	f.Optional("params", params, "The same; the older name.")
	f.Optional("parse", schema.Sub(&t.Parse), "How to find cases in the output of a test that does not report them.")
	f.Optional("run", schema.Sub(steps{&t.Steps}), "The test.")
	f.Optional("expected", schema.Texts(&t.Expected), "The cases that must be reported.")
}

// ParseTestDefinition reads a test definition file. Keys that are not declared are let through in both modes, as LAVA
// has it. The definition is nil when there are errors.
func ParseTestDefinition(src []byte, mode schema.Mode) (*TestDefinition, *schema.Report) {
	n, r := schema.Parse(src, schema.YAML11)
	if n == nil {
		return nil, r
	}
	t := &TestDefinition{Source: n}
	schema.Decode(n, "", t, mode, r)
	r.Place(src)
	if !r.Valid() {
		return nil, r
	}
	return t, r
}
