// Package testdef fetches the git repositories and archives that test definitions come from. All of it is hostile:
// where a fetch may go, how much it may bring and how long it may take is bounded, and nothing that was fetched is
// executed on this host. Credentials of a URL reach the server it names and nothing else: no argument list, log or
// file.
package testdef

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/gantry-ci/gantry/internal/fetch"
	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
)

// Limits of one repository or archive. A folder of tests is some megabytes; it goes through the target's memory.
const (
	maxTree  = 1 << 30 // bytes of all files
	maxFiles = 100_000
	maxYAML  = 1 << 20 // bytes of the definition itself
)

// Kinds of sources, as the job language names them.
const (
	Git = "git"
	URL = "url"
)

// Source is where a tree of files comes from.
type Source struct {
	From string // Git or URL
	URL  string // may hold credentials: print Redacted

	// Of a git repository.
	Branch, Revision string
	History          bool // keep .git
	Recursive        bool // with submodules

	// Of a URL.
	Compression     string
	StripComponents int
	Headers         map[string]string
	Name            string // what a file that is no archive is called
}

// Redacted is the URL without its password.
func (s *Source) Redacted() string { return redacted(s.URL) }

// Fetcher fetches trees. The zero value's policy is that of a stranger's job.
type Fetcher struct{ Policy fetch.Policy }

// Check refuses, without any I/O, what no attempt would change.
func (f *Fetcher) Check(s *Source) error {
	if s.From == Git {
		return f.checkGit(s)
	}
	return redact(f.Policy.Check(s.URL), s.URL)
}

// Fetch fills dir, which must not exist, and returns the commit of a git repository. Its errors have a class: the
// network and the disk are the lab's, anything else is the job's.
func (f *Fetcher) Fetch(ctx context.Context, s *Source, dir string) (commit string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", results.Failf(results.ClassInfrastructure, "fetch %s: %w", s.Redacted(), err)
	}
	if s.From == Git {
		commit, err = f.git(ctx, s, dir)
	} else {
		err = f.archive(ctx, s, dir)
	}
	if err == nil {
		err = measure(dir)
	}
	if err != nil {
		return "", blame(fmt.Errorf("fetch %s: %w", s.Redacted(), redact(err, s.URL)))
	}
	return commit, nil
}

// Parse reads the definition at path in a fetched tree. Its errors have the place, and the job's class.
func Parse(dir, path string) (*jobs.TestDefinition, error) {
	b, err := read(dir, path)
	if err != nil {
		return nil, results.Failf(results.ClassJob, "read test definition %q: %w", path, err)
	}
	def, report := jobs.ParseTestDefinition(b, schema.Lenient)
	if err := report.Err(); err != nil {
		return nil, results.Failf(results.ClassJob, "test definition %s: %w", path, err)
	}
	return def, nil
}

// read reads a file of the tree. A link that leads out of it is an error.
func read(dir, path string) (b []byte, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	f, err := root.Open(strings.TrimLeft(filepath.Clean(path), "/"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil, errors.Join(errors.New("it is not a file"), err)
	}
	b, err = io.ReadAll(io.LimitReader(f, maxYAML+1))
	if err == nil && len(b) > maxYAML {
		err = fmt.Errorf("larger than %d bytes", maxYAML)
	}
	return b, err
}

// measure refuses a tree that is too large for a target.
func measure(dir string) error {
	var size int64
	files := 0
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if files++; info.Mode().IsRegular() {
			size += info.Size()
		}
		return within(size, files)
	})
	return err
}

func within(size int64, files int) error {
	switch {
	case size > maxTree:
		return results.Failf(results.ClassJob, "larger than %d MiB", maxTree>>20)
	case files > maxFiles:
		return results.Failf(results.ClassJob, "more than %d files", maxFiles)
	}
	return nil
}

// blame classes an error that has no class: failures of the network and the disk are the lab's, all others the job's.
func blame(err error) error {
	if e := (*fetch.Error)(nil); errors.As(err, &e) && (e.Fault == fetch.Disk || e.Fault == fetch.Transport) {
		return results.Blame(results.ClassInfrastructure, err)
	}
	return results.Blame(results.ClassJob, err)
}

// userinfo is the part of a URL that names a user: "://user:password@".
var userinfo = regexp.MustCompile(`(://)[^/@\s]*@`)

// redacted replaces a URL's credentials; a user's name alone may be a token.
func redacted(url string) string { return userinfo.ReplaceAllString(url, "${1}xxxxx@") }

// redact keeps an error's class and removes credentials from its text.
func redact(err error, url string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	clean := redacted(strings.ReplaceAll(text, url, redacted(url)))
	if clean == text {
		return err
	}
	return &quiet{err, clean}
}

// quiet is an error whose text was redacted.
type quiet struct {
	err  error
	text string
}

func (q *quiet) Error() string { return q.text }
func (q *quiet) Unwrap() error { return q.err }
