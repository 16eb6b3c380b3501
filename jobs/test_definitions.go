package jobs

import (
	"regexp"

	"github.com/gantry-ci/gantry/internal/schema"
)

// TestDefinitions runs test definitions on the target; with Docker, in a container beside it.
type TestDefinitions struct {
	Common
	Definitions          []Definition
	Docker               *Docker // a docker test shell, when there is one
	DownloadsNamespace   string
	DisconnectConnection bool
}

// Definition says where a test definition is, and what it is called in this job.
type Definition struct {
	schema.Position
	Places      schema.Places
	From        string // git, url or inline
	Name        string
	Path        string
	URL         string          // the repository, unless it is inline
	Repository  *TestDefinition // inline
	Branch      string
	Revision    string
	History     bool // clone with history; true when the file does not say
	Recursive   bool
	Parameters  map[string]*schema.Node
	SkipInstall []string // keys, sources, deps, steps, git-repos, all
	LavaSignal  string   // stdout or kmsg; stdout when the file does not say
	Expected    []string

	Compression     string // of a url
	StripComponents int
	Headers         map[string]string
}

var definitionNameRE = regexp.MustCompile(`^[-_a-zA-Z0-9.]+$`)

// Fields declares the method.
func (p *TestDefinitions) Fields(f *schema.Fields) {
	p.Common.Fields(f)
	f.Required("definitions", schema.ListOf(&p.Definitions, definition), "The test definitions, in order.")
}

func definition(d *Definition) schema.Type {
	either := schema.Either("a mapping with a repository",
		schema.Sub(definitionFrom{d, "git"}), schema.Sub(definitionFrom{d, "inline"}), schema.Sub(definitionFrom{d, "url"}))
	return either
}

// definitionFrom is a definition from one kind of place.
type definitionFrom struct {
	*Definition
	from string
}

func (d definitionFrom) Fields(f *schema.Fields) {
	d.History, d.LavaSignal = true, "stdout"
	f.Place(&d.Position)
	f.Places(&d.Places)
	if d.from == "inline" {
		t := new(TestDefinition)
		inline := schema.Keeping(&t.Source, schema.Sub(t))
		f.Required("repository", schema.Then(inline, func() { d.Repository = t }), "The test definition itself.")
	} else {
		f.Required("repository", schema.Text(&d.URL), "Where the test definition is.")
	}
	f.Required("from", schema.OneOf(&d.From, d.from), "What the repository is.")
	params := schema.MapOf(&d.Parameters, func(v **schema.Node) schema.Type { return schema.Anything(v) })
	f.Optional("parameters", params, "Variables of the steps.")
	f.Optional("params", params, "The same; the older name.")
	f.Required("path", schema.Text(&d.Path), "The test definition's file in the repository.")
	f.Required("name", schema.Matching(&d.Name, definitionNameRE, "a name of letters, digits, -, _ and ."), "What the suite is called.")
	f.Optional("skip_install", schema.ListOf(&d.SkipInstall, func(s *string) schema.Type {
		return schema.OneOf(s, "keys", "sources", "deps", "steps", "git-repos", "all")
	}), "Parts of install to leave out.")
	f.Optional("lava-signal", schema.OneOf(&d.LavaSignal, "kmsg", "stdout"), "Where results are reported.")
	f.Optional("expected", schema.Texts(&d.Expected), "The cases that must be reported.")
	switch d.from {
	case "git":
		f.Optional("branch", schema.Text(&d.Branch), "The branch.")
		f.Optional("revision", schema.Text(&d.Revision), "The commit.")
		f.Optional("history", schema.Flag(&d.History), "Clone with history.")
		f.Optional("recursive", schema.Flag(&d.Recursive), "Clone with submodules.")
	case "url":
		f.Optional("compression", schema.OneOf(&d.Compression, "bz2", "gz", "xz", "zip", "zstd"), "How the archive is compressed.")
		f.Optional("strip-components", schema.Integer(&d.StripComponents), "Leading folders of the archive to leave out.")
		f.Optional("headers", schema.MapOf(&d.Headers, schema.Text), "HTTP headers of the request.")
	}
}
