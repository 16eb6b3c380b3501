package ghapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/google/go-github/v60/github"
)

// Client acts for one installation of the App. Its errors wrap ErrNotFound and the others of this package. It is safe
// for concurrent use.
type Client struct {
	appID        int64
	installation int64
	gh           *github.Client
}

// MaxFile is the largest file that is read from a repository, in bytes: GitHub sends no larger one inline.
const MaxFile = 1 << 20

var nameShape = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// splitRepo splits owner/name, which comes from a webhook and becomes part of an address.
func splitRepo(repo string) (owner, name string, err error) {
	owner, name, _ = strings.Cut(repo, "/")
	for _, part := range []string{owner, name} {
		if !nameShape.MatchString(part) || part == "." || part == ".." {
			return "", "", fmt.Errorf("repository %q is not owner/name: %w", repo, ErrInvalid)
		}
	}
	return owner, name, nil
}

// File reads a file of the repository at a commit. A folder, a submodule, or a file over MaxFile is an error.
func (c *Client) File(ctx context.Context, repo, path, ref string) ([]byte, error) {
	action := fmt.Sprintf("read %s of %s at %.12s", path, repo, ref)
	owner, name, err := splitRepo(repo)
	if err != nil {
		return nil, err
	}
	if !fs.ValidPath(path) || path == "." {
		return nil, fmt.Errorf("%s: %w: not a path inside the repository", action, ErrInvalid)
	}
	f, _, _, err := c.gh.Repositories.GetContents(ctx, owner, name, path, &github.RepositoryContentGetOptions{Ref: ref})
	if errors.Is(err, errResponseTooLarge) {
		return nil, fmt.Errorf("%s: %w: over 1 MiB", action, ErrTooLarge)
	}
	if err != nil {
		return nil, classify(action, err)
	}
	if f == nil || f.GetType() != "file" {
		return nil, fmt.Errorf("%s: %w: not a file", action, ErrInvalid)
	}
	if f.GetSize() > MaxFile {
		return nil, fmt.Errorf("%s: %w: over 1 MiB", action, ErrTooLarge)
	}
	text, err := f.GetContent()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", action, err)
	}
	return []byte(text), nil
}

// Pull is a pull request.
type Pull struct {
	Number   int64
	Open     bool
	Draft    bool
	HeadSHA  string
	HeadRepo string // owner/name; empty if it is deleted
	Fork     bool   // the head is in another repository
	Base     string // branch
	Labels   []string
	Author   string
}

// Pull reads a pull request as it is now.
func (c *Client) Pull(ctx context.Context, repo string, number int64) (Pull, error) {
	owner, name, err := splitRepo(repo)
	if err != nil {
		return Pull{}, err
	}
	p, _, err := c.gh.PullRequests.Get(ctx, owner, name, int(number))
	if err != nil {
		return Pull{}, classify(fmt.Sprintf("read pull request %s#%d", repo, number), err)
	}
	out := Pull{
		Number: number, Open: p.GetState() == "open", Draft: p.GetDraft(), HeadSHA: p.GetHead().GetSHA(),
		HeadRepo: p.GetHead().GetRepo().GetFullName(), Base: p.GetBase().GetRef(), Author: p.GetUser().GetLogin(),
		Fork: p.GetHead().GetRepo().GetID() == 0 || p.GetHead().GetRepo().GetID() != p.GetBase().GetRepo().GetID(),
	}
	for _, l := range p.Labels {
		out.Labels = append(out.Labels, l.GetName())
	}
	return out, nil
}

// Permission is a user's exact role in the repository: admin, maintain, write, triage, read, none, or a custom one.
func (c *Client) Permission(ctx context.Context, repo, user string) (string, error) {
	owner, name, err := splitRepo(repo)
	if err != nil {
		return "", err
	}
	// go-github's type has no role_name, and the older "permission" does not tell maintain from write.
	req, err := c.gh.NewRequest(
		http.MethodGet, fmt.Sprintf("repos/%s/%s/collaborators/%s/permission", owner, name, url.PathEscape(user)), nil,
	)
	if err != nil {
		return "", fmt.Errorf("read permission: %w", err)
	}
	var level struct {
		Permission string `json:"permission"`
		RoleName   string `json:"role_name"`
	}
	if _, err := c.gh.Do(ctx, req, &level); err != nil {
		return "", classify(fmt.Sprintf("read permission of %q in %s", user, repo), err)
	}
	return cmp.Or(level.RoleName, level.Permission), nil
}

// PullFiles lists the files that a pull request changes, and the old names of renamed ones. GitHub lists at most 3,000.
func (c *Client) PullFiles(ctx context.Context, repo string, number int64) ([]string, error) {
	owner, name, err := splitRepo(repo)
	if err != nil {
		return nil, err
	}
	var files []string
	o := &github.ListOptions{PerPage: 100}
	for range maxFilePages {
		page, resp, err := c.gh.PullRequests.ListFiles(ctx, owner, name, int(number), o)
		if err != nil {
			return nil, classify(fmt.Sprintf("list files of %s#%d", repo, number), err)
		}
		for _, f := range page {
			files = append(files, f.GetFilename())
			if old := f.GetPreviousFilename(); old != "" {
				files = append(files, old)
			}
		}
		if o.Page = resp.NextPage; o.Page == 0 {
			break
		}
	}
	return files, nil
}

// maxFilePages is how many pages of 100 files are read.
const maxFilePages = 30
