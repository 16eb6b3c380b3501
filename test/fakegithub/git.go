package fakegithub

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"strings"
	"time"
)

// commit is an immutable snapshot. Its SHAs are those git would compute.
type commit struct {
	sha, tree, parent string
	message           string
	author            *account
	when              time.Time
	files             map[string]blob   // path → file
	dirs              map[string]string // path of a folder → SHA of its tree; "" is the root
}

// resolve finds the commit of a branch, a SHA (also short), refs/… or HEAD; "" is the default branch.
func (r *repository) resolve(ref string) *commit {
	if ref == "" || ref == "HEAD" {
		ref = r.main
	}
	if sha, ok := r.refs()[ref]; ok {
		return r.commits[sha]
	}
	for _, prefix := range []string{"refs/heads/", "refs/", "heads/"} {
		if sha, ok := r.branches[strings.TrimPrefix(ref, prefix)]; ok {
			return r.commits[sha]
		}
	}
	if sha, ok := r.refs()["refs/"+ref]; ok {
		return r.commits[sha]
	}
	if c, ok := r.commits[ref]; ok {
		return c
	}
	if len(ref) >= 7 {
		for sha, c := range r.commits {
			if strings.HasPrefix(sha, ref) {
				return c
			}
		}
	}
	return nil
}

// refs returns all full references, those of pull requests included.
func (r *repository) refs() map[string]string {
	refs := map[string]string{}
	for name, sha := range r.branches {
		refs["refs/heads/"+name] = sha
	}
	for _, p := range r.pulls {
		refs[fmt.Sprintf("refs/pull/%d/head", p.number)] = p.head
	}
	return refs
}

// Commit makes a commit on a branch: the files of the folder dir, as they are
// now. A new branch starts from the default branch. Open pull requests of that
// branch follow. It returns the SHA.
func (r *Repo) Commit(branch, dir, message string) (string, error) {
	files, err := readTree(dir)
	if err != nil {
		return "", err
	}
	return r.commit(branch, r.Owner, message, func(map[string]blob) map[string]blob { return files })
}

// CommitFiles makes a commit on a branch that writes some files over those of
// its parent; nil content deletes one.
func (r *Repo) CommitFiles(branch, message string, files map[string][]byte) (string, error) {
	return r.commit(branch, r.Owner, message, func(before map[string]blob) map[string]blob {
		after := maps.Clone(before)
		for name, data := range files {
			delete(after, path.Clean(name))
			if data != nil {
				after[path.Clean(name)] = newBlob(modeFile, data)
			}
		}
		return after
	})
}

func (r *Repo) commit(branch, author, message string, edit func(map[string]blob) map[string]blob) (string, error) {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if branch == "" {
		return "", errors.New("commit: no branch")
	}
	parent, ok := r.repo.branches[branch]
	if !ok {
		parent = r.repo.branches[r.repo.main]
	}
	before := r.repo.commits[parent]
	made := newCommit(edit(before.files), parent, message, s.state.account(author), s.now())
	for made.sha == parent || r.repo.commits[made.sha] != nil {
		// Two commits of one second with the same content would be one commit.
		made = newCommit(made.files, parent, message, made.author, made.when.Add(time.Second))
	}
	r.repo.commits[made.sha] = made
	r.repo.branches[branch] = made.sha
	r.repo.pushed = s.now()
	s.followPulls(r.repo, branch, made)
	return made.sha, nil
}

// Head returns the SHA of a branch; "" is the default branch, and no SHA means no branch.
func (r *Repo) Head(branch string) string {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	if branch == "" {
		branch = r.repo.main
	}
	return r.repo.branches[branch]
}
