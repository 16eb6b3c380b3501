package config

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/gantry-ci/gantry/internal/schema"
)

// Kind is where a reference points.
type Kind string

// The kinds of references.
const (
	InRepository Kind = "repository" // a path at the tested commit
	InArtifact   Kind = "artifact"   // artifact:NAME, or artifact:NAME/PATH
	AtURL        Kind = "url"        // http or https
)

// Reference is a file that a job uses.
type Reference struct {
	Kind     Kind
	Artifact string // the artifact's name, or a pattern of it
	Path     string // in the repository or in the artifact; "" for an artifact of one file. May be a pattern
	URL      string
}

// String is the reference as the file has it.
func (r Reference) String() string {
	switch {
	case r.Kind == AtURL:
		return r.URL
	case r.Kind == InArtifact && r.Path != "":
		return "artifact:" + r.Artifact + "/" + r.Path
	case r.Kind == InArtifact:
		return "artifact:" + r.Artifact
	}
	return r.Path
}

// ParseReference reads artifact:NAME, artifact:NAME/PATH, a URL, or a path in the repository.
//
// artifact:NAME is the artifact NAME when the workflow run has one, which must then hold one file; else it is the file
// NAME in the one artifact that holds it.
func ParseReference(s string) (Reference, error) {
	if rest, ok := strings.CutPrefix(s, "artifact:"); ok {
		name, file, _ := strings.Cut(rest, "/")
		if name == "" || strings.ContainsAny(rest, "\\\x00\n\"<>|:") || !below(file) {
			return Reference{}, fmt.Errorf("%q names no artifact; write it like artifact:NAME or artifact:NAME/PATH", s)
		}
		return Reference{Kind: InArtifact, Artifact: name, Path: file}, nil
	}
	if scheme, _, ok := strings.Cut(s, "://"); ok {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || scheme != "http" && scheme != "https" {
			return Reference{}, fmt.Errorf("%q is no http or https URL", s)
		}
		return Reference{Kind: AtURL, URL: s}, nil
	}
	if s == "" || path.IsAbs(s) || !below(s) || strings.ContainsAny(s, "\x00\n") {
		return Reference{}, fmt.Errorf("%q is neither artifact:NAME, nor a URL, nor a path below the repository's root", s)
	}
	return Reference{Kind: InRepository, Path: path.Clean(s)}, nil
}

func below(file string) bool {
	clean := path.Clean(file)
	return clean != ".." && !strings.HasPrefix(clean, "../") && !strings.HasPrefix(file, "/")
}

func reference(dst **Reference) schema.Type {
	var r Reference
	return schema.Then(
		schema.Parsed(&r, "a path in the repository, artifact:NAME, artifact:NAME/PATH, or a URL", ParseReference),
		func() { *dst = &r },
	)
}
