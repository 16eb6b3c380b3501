package testdef

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Limits of one clone.
const (
	maxTransfer = 1 << 30          // bytes on the wire
	killWait    = 5 * time.Second  // from the kill of git's process group to giving up on its pipes
	gitTimeout  = 15 * time.Minute // the action's timeout is shorter, unless the job says otherwise
	maxStderr   = 64 << 10
)

// Protocols git may speak: for a stranger what the proxy can watch, for the operator what a desk has.
const (
	servedProtocols   = "http:https"
	operatorProtocols = "http:https:file:ssh:git"
)

var (
	refName = regexp.MustCompile(`^[^-\s~^:?*\[\\][^\s~^:?*\[\\]*$`) // git-check-ref-format(1), as far as it matters here
	fullID  = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)
	scpLike = regexp.MustCompile(`^([^/:@]+@)?[^/:]+:`) // git@host:path
	lab     = regexp.MustCompile(
		`(?i)could not resolve host|connection (refused|timed out|reset)|failed to connect|` +
			`unable to access.*(5\d\d|429)|early EOF|RPC failed|unexpected disconnect|no space left`,
	)
)

func (f *Fetcher) checkGit(s *Source) error {
	for _, ref := range []string{s.Branch, s.Revision} {
		if ref != "" && !refName.MatchString(ref) {
			return fmt.Errorf("%q is not the name of a branch or a revision", ref)
		}
	}
	u, err := url.Parse(s.URL)
	web := err == nil && (u.Scheme == "http" || u.Scheme == "https")
	switch {
	case web:
		return redact(f.Policy.Check(s.URL), s.URL)
	case !f.Policy.Host:
		return fmt.Errorf("%s: served jobs fetch by http and https only", s.Redacted())
	case strings.HasPrefix(s.URL, "-") || s.URL == "":
		return fmt.Errorf("%q is not the URL of a repository", s.URL)
	case err == nil &&
		(u.Scheme == "file" || u.Scheme == "ssh" || u.Scheme == "git"), filepath.IsAbs(s.URL), scpLike.MatchString(s.URL):
		return nil
	}
	return fmt.Errorf("%s: expected an http, https, file, ssh or git URL, or an absolute path", s.Redacted())
}

// git fetches one commit, or the history that a revision needs, checks how large the commit is, and only then writes
// files.
func (f *Fetcher) git(ctx context.Context, s *Source, dir string) (commit string, err error) {
	if err := f.checkGit(s); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, gitTimeout, fmt.Errorf("git took longer than %s", gitTimeout))
	defer cancel()
	g, err := f.newClone(ctx, s, dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, g.close()) }()
	if _, err := g.run(ctx, "init", "--quiet", "--template="); err != nil {
		return "", err
	}
	if err := g.fetch(ctx, s); err != nil {
		return "", err
	}
	if err := g.size(ctx); err != nil {
		return "", err
	}
	if _, err := g.run(ctx, "checkout", "--quiet", "--detach", "gantry"); err != nil {
		return "", err
	}
	if s.Recursive {
		if _, err := g.run(ctx, "submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"); err != nil {
			return "", err
		}
	}
	id, err := g.run(ctx, "rev-parse", "HEAD")
	if err == nil && !s.History {
		err = os.RemoveAll(filepath.Join(dir, ".git"))
	}
	return strings.TrimSpace(id), err
}

// wanted is where the commit to check out is kept.
const wanted = "refs/heads/gantry"

// fetch brings the commit: by itself where that can be, with all history for a revision that the server does not give
// alone.
func (g *clone) fetch(ctx context.Context, s *Source) error {
	ref := "HEAD"
	if s.Branch != "" {
		ref = s.Branch
	}
	if s.Revision == "" {
		_, err := g.run(ctx, "fetch", "--quiet", "--no-tags", "--depth=1", "--", g.url, "+"+ref+":"+wanted)
		return err
	}
	if fullID.MatchString(s.Revision) {
		if _, err := g.run(
			ctx, "fetch", "--quiet", "--no-tags", "--depth=1", "--", g.url, "+"+s.Revision+":"+wanted,
		); err == nil || ctx.Err() != nil {
			return err
		}
	}
	if _, err := g.run(ctx, "fetch", "--quiet", "--tags", "--", g.url, "+refs/heads/*:refs/remotes/origin/*"); err != nil {
		return err
	}
	var err error
	for _, name := range []string{s.Revision, "refs/tags/" + s.Revision, "refs/remotes/origin/" + s.Revision} {
		if _, err = g.run(ctx, "update-ref", wanted, name+"^{commit}"); err == nil {
			return nil
		}
	}
	return fmt.Errorf("the repository has no revision %q: %w", s.Revision, err)
}

// size adds up the files of the commit before one is written: a pack can hold a thousand times its size.
func (g *clone) size(ctx context.Context) error {
	out, err := g.run(ctx, "ls-tree", "-r", "-l", "-z", "gantry")
	if err != nil {
		return err
	}
	var size int64
	files := 0
	lines := bufio.NewScanner(strings.NewReader(out))
	lines.Buffer(nil, maxList)
	lines.Split(func(b []byte, atEOF bool) (int, []byte, error) {
		if i := bytes.IndexByte(b, 0); i >= 0 {
			return i + 1, b[:i], nil
		}
		return 0, nil, nil
	})
	for lines.Scan() {
		files++
		if f := strings.Fields(lines.Text()); len(f) > 3 {
			if n, err := strconv.ParseInt(f[3], 10, 64); err == nil {
				size += n
			}
		}
		if err := within(size, files); err != nil {
			return err
		}
	}
	return lines.Err()
}

// maxList bounds what one git command may print: 100,000 files with long names.
const maxList = 32 << 20
