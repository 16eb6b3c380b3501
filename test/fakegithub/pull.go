package fakegithub

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// pull is a pull request.
type pull struct {
	id       int64
	number   int
	title    string
	body     string
	user     *account
	draft    bool
	labels   []string
	headRepo *repository
	headRef  string
	head     string // SHA
	baseRef  string
	baseSHA  string
	before   string // the head before the last push
	state    string
	merged   string // SHA of the merge
	created  time.Time
	updated  time.Time
	closed   time.Time
}

// PullOptions say what pull request to open.
type PullOptions struct {
	// Head is the branch to merge, From the fork it is in; nil is the same repository.
	Head string
	From *Repo
	// Base is the branch to merge into; the default branch when empty.
	Base   string
	Title  string
	Body   string
	Author string // the head repository's owner when empty
	Draft  bool
	Labels []string
}

// Pull is a pull request as it was when asked for.
type Pull struct {
	ID     int64
	Number int
	State  string // open, closed
	Merged bool
	Head   string // SHA
	Base   string // SHA
	Branch string // of the head
	Fork   string // full name of the head's repository
	Labels []string
}

// OpenPull opens a pull request from a branch that exists. It sends no webhook:
// Send(repo.PullRequestEvent("opened", n)) does.
func (r *Repo) OpenPull(o PullOptions) (Pull, error) {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	from := r.repo
	if o.From != nil {
		from = o.From.repo
	}
	head, ok := from.branches[o.Head]
	if !ok {
		return Pull{}, fmt.Errorf("open pull request: %s has no branch %q", from.fullName(), o.Head)
	}
	base := cmp.Or(o.Base, r.repo.main)
	if from == r.repo && base == o.Head {
		return Pull{}, errors.New("open pull request: head and base are the same branch")
	}
	r.repo.numbers++
	p := &pull{
		id: s.state.id(), number: r.repo.numbers, title: cmp.Or(o.Title, "Change "+o.Head), body: o.Body,
		user: s.state.account(cmp.Or(o.Author, from.owner.login)), draft: o.Draft, labels: slices.Clone(o.Labels),
		headRepo: from, headRef: o.Head, head: head, before: head, baseRef: base, baseSHA: r.repo.branches[base],
		state: "open", created: s.now(), updated: s.now(),
	}
	r.repo.adopt(from, head)
	r.repo.pulls = append(r.repo.pulls, p)
	return p.snapshot(), nil
}

// adopt makes a fork's commit and its ancestors known here, as GitHub does for a pull request.
func (r *repository) adopt(from *repository, sha string) {
	for c := from.commits[sha]; c != nil && r.commits[c.sha] == nil; c = from.commits[c.parent] {
		r.commits[c.sha] = c
	}
}

// followPulls moves the open pull requests of a branch to its new commit.
func (s *Server) followPulls(repo *repository, branch string, c *commit) {
	for _, base := range s.state.ordered {
		for _, p := range base.pulls {
			if p.headRepo == repo && p.headRef == branch && p.state == "open" {
				p.before, p.head, p.updated = p.head, c.sha, s.now()
				base.adopt(repo, c.sha)
			}
		}
	}
}

// ClosePull closes a pull request; merge says whether its commit lands on the base.
func (r *Repo) ClosePull(number int, merge bool) error {
	return r.withPull(number, func(p *pull) {
		p.state, p.closed, p.updated = "closed", r.server.now(), r.server.now()
		if merge {
			p.merged = p.head
			r.repo.branches[p.baseRef] = p.head
		}
	})
}

// ReopenPull opens a closed pull request again.
func (r *Repo) ReopenPull(number int) error {
	return r.withPull(number, func(p *pull) { p.state, p.closed, p.updated = "open", time.Time{}, r.server.now() })
}

// SetLabels sets the labels of a pull request.
func (r *Repo) SetLabels(number int, labels ...string) error {
	return r.withPull(number, func(p *pull) { p.labels = slices.Clone(labels) })
}

// Pull returns a pull request.
func (r *Repo) Pull(number int) (Pull, error) {
	var out Pull
	err := r.withPull(number, func(p *pull) { out = p.snapshot() })
	return out, err
}

func (r *Repo) withPull(number int, do func(*pull)) error {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	p := r.repo.pull(number)
	if p == nil {
		return fmt.Errorf("%s has no pull request %d", r.FullName(), number)
	}
	do(p)
	return nil
}

func (r *repository) pull(number int) *pull {
	for _, p := range r.pulls {
		if p.number == number {
			return p
		}
	}
	return nil
}

func (p *pull) snapshot() Pull {
	return Pull{
		ID: p.id, Number: p.number, State: p.state, Merged: p.merged != "", Head: p.head, Base: p.baseSHA,
		Branch: p.headRef, Fork: p.headRepo.fullName(), Labels: slices.Clone(p.labels),
	}
}

// getPulls serves GET /repos/{owner}/{repo}/pulls.
func (c *call) getPulls() reply {
	state := cmp.Or(c.query("state"), "open")
	var list []object
	for _, p := range slices.Backward(c.auth.repo.pulls) {
		head := p.headRepo.owner.login + ":" + p.headRef
		if state != "all" && p.state != state || c.query("base") != "" && c.query("base") != p.baseRef ||
			c.query("head") != "" && !strings.EqualFold(c.query("head"), head) {
			continue
		}
		list = append(list, c.pullSimpleJSON(c.auth.repo, p))
	}
	return c.page(list)
}

// pullsOfCommit serves GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls.
func (c *call) pullsOfCommit() reply {
	var list []object
	for _, p := range c.auth.repo.pulls {
		if slices.Contains(c.auth.repo.history(p.head, p.baseSHA), c.op.params["commit_sha"]) {
			list = append(list, c.pullSimpleJSON(c.auth.repo, p))
		}
	}
	return c.page(list)
}

func (c *call) pathPull() *pull {
	return c.auth.repo.pull(int(c.number("pull_number")))
}

// getPull serves GET /repos/{owner}/{repo}/pulls/{pull_number}.
func (c *call) getPull() reply {
	if p := c.pathPull(); p != nil {
		return ok(c.pullJSON(c.auth.repo, p))
	}
	return notFound()
}

// getPullFiles serves GET /repos/{owner}/{repo}/pulls/{pull_number}/files.
func (c *call) getPullFiles() reply {
	p := c.pathPull()
	if p == nil {
		return notFound()
	}
	return c.page(c.diffJSON(
		c.auth.repo, c.auth.repo.commits[c.auth.repo.mergeBase(p.baseSHA, p.head)], c.auth.repo.commits[p.head],
	))
}

// getPullCommits serves GET /repos/{owner}/{repo}/pulls/{pull_number}/commits.
func (c *call) getPullCommits() reply {
	p := c.pathPull()
	if p == nil {
		return notFound()
	}
	var list []object
	for _, sha := range slices.Backward(c.auth.repo.history(p.head, p.baseSHA)) {
		list = append(list, c.commitJSON(c.auth.repo, c.auth.repo.commits[sha]))
	}
	return c.page(list)
}

// history lists the commits that head has and base has not, newest first.
func (r *repository) history(head, base string) []string {
	known := map[string]bool{}
	for c := r.commits[base]; c != nil; c = r.commits[c.parent] {
		known[c.sha] = true
	}
	var list []string
	for c := r.commits[head]; c != nil && !known[c.sha]; c = r.commits[c.parent] {
		list = append(list, c.sha)
	}
	return list
}

func (r *repository) mergeBase(base, head string) string {
	mine := r.history(head, base)
	if len(mine) == 0 {
		return head
	}
	return r.commits[mine[len(mine)-1]].parent
}
