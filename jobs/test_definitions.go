package jobs

import (
	"regexp"

	"github.com/gantry-ci/gantry/internal/schema"
)

// TestDefinitions runs test definitions on the target; with Docker, in a container beside it: a docker test shell.
type TestDefinitions struct {
	Common
	Definitions          []Definition
	Docker               *Docker
	DownloadsNamespace   string // with Docker: whose downloads the container sees
	DisconnectConnection bool   // with Docker: free the target's console for the container
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
	if p.Docker == nil {
		return
	}
	f.Required("docker", schema.Sub(p.Docker), "The container.")
	f.Optional("downloads-namespace", schema.Text(&p.DownloadsNamespace), "Whose downloads the container sees.")
	f.Optional(
		"disconnect_connection", schema.Flag(&p.DisconnectConnection), "Free the target's console for the container.",
	)
}

func definition(d *Definition) schema.Type {
	either := schema.EitherBy("from", []string{"git", "url", "inline"},
		schema.Sub(definitionFrom{d, "git"}), schema.Sub(definitionFrom{d, "url"}), schema.Sub(definitionFrom{d, "inline"}))
	return schema.Leniently(either, schema.Sub(definitionParameters{d}))
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
	if d.from != "inline" {
		definitionParameters{d.Definition}.Fields(f)
	}
	f.Required("path", schema.Text(&d.Path), "The test definition's file in the repository.")
	f.Required("name", caseName(&d.Name), "What the suite is called.")
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
		f.Optional("compression", schema.Text(&d.Compression), "How the archive is compressed.")
		f.Optional("strip-components", schema.Integer(&d.StripComponents), "Leading folders of the archive to leave out.")
		f.Optional("headers", schema.Values(&d.Headers), "HTTP headers of the request.")
	}
}

// definitionParameters are of git and url; lenient files have them inline as well.
type definitionParameters struct{ *Definition }

func (d definitionParameters) Fields(f *schema.Fields) {
	f.Optional("parameters", schema.Nodes(&d.Parameters), "Variables of the steps.")
	f.Optional("params", schema.Nodes(&d.Parameters), "The same; the older name.")
}
