package fakegithub

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// maxTree bounds the files of one commit, which are kept in memory.
const maxTree = 256 << 20

// Modes of git's tree entries.
const (
	modeFile    = "100644"
	modeExec    = "100755"
	modeSymlink = "120000"
	modeDir     = "40000"
)

// blob is a file of a commit.
type blob struct {
	mode string
	data []byte
	sha  string
}

// commit is an immutable snapshot. Its SHAs are those git would compute.
type commit struct {
	sha, tree, parent string
	message           string
	author            *account
	when              time.Time
	files             map[string]blob   // path → file
	dirs              map[string]string // path of a folder → SHA of its tree; "" is the root
}

// readTree reads the folder dir, without a .git folder in it.
func readTree(dir string) (map[string]blob, error) {
	files := map[string]blob{}
	total := 0
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if entry.Name() == ".git" {
				return fs.SkipDir
			}
			return nil
		}
		file, err := readBlob(name, entry)
		if err != nil {
			return err
		}
		if total += len(file.data); total > maxTree {
			return fmt.Errorf("more than %d bytes", maxTree)
		}
		rel, err := filepath.Rel(dir, name)
		files[filepath.ToSlash(rel)] = file
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read repository folder %q: %w", dir, err)
	}
	return files, nil
}

func readBlob(name string, entry fs.DirEntry) (blob, error) {
	if entry.Type()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(name)
		return newBlob(modeSymlink, []byte(target)), err
	}
	if !entry.Type().IsRegular() {
		return blob{}, fmt.Errorf("%s is neither file nor link", name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return blob{}, err
	}
	info, err := entry.Info()
	if err != nil {
		return blob{}, err
	}
	if info.Mode()&0o111 != 0 {
		return newBlob(modeExec, data), nil
	}
	return newBlob(modeFile, data), nil
}

func newBlob(mode string, data []byte) blob {
	return blob{mode: mode, data: data, sha: objectID("blob", data)}
}

// objectID is git's name of an object.
func objectID(kind string, data []byte) string {
	h := sha1.New()
	_, _ = fmt.Fprintf(h, "%s %d\x00", kind, len(data)) // a hash takes everything
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

func newCommit(files map[string]blob, parent, message string, author *account, when time.Time) *commit {
	c := &commit{
		parent: parent, message: message, author: author, when: when.Truncate(time.Second),
		files: files, dirs: map[string]string{},
	}
	c.tree = c.hashDir("")
	var text strings.Builder
	fmt.Fprintf(&text, "tree %s\n", c.tree)
	if parent != "" {
		fmt.Fprintf(&text, "parent %s\n", parent)
	}
	who := fmt.Sprintf("%s <%s> %d +0000", author.login, author.email(), c.when.Unix())
	fmt.Fprintf(&text, "author %s\ncommitter %s\n\n%s\n", who, who, message)
	c.sha = objectID("commit", []byte(text.String()))
	return c
}

func (a *account) email() string {
	return fmt.Sprintf("%d+%s@users.noreply.github.com", a.id, strings.NewReplacer("[", "", "]", "").Replace(a.login))
}

// entry is one line of a folder.
type entry struct {
	name, mode, sha string
	size            int
}

// list returns the entries of a folder in git's order.
func (c *commit) list(dir string) []entry {
	prefix := ""
	if dir != "" {
		prefix = dir + "/"
	}
	found := map[string]entry{}
	for name, file := range c.files {
		rest, inside := strings.CutPrefix(name, prefix)
		if !inside {
			continue
		}
		if sub, _, nested := strings.Cut(rest, "/"); nested {
			found[sub] = entry{name: sub, mode: modeDir, sha: c.dirs[prefix+sub]}
		} else {
			found[rest] = entry{name: rest, mode: file.mode, sha: file.sha, size: len(file.data)}
		}
	}
	var entries []entry
	for _, e := range found {
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.sortKey(), b.sortKey()) })
	return entries
}

// sortKey is git's: a folder sorts as if its name ended in a slash.
func (e entry) sortKey() string {
	if e.mode == modeDir {
		return e.name + "/"
	}
	return e.name
}

// hashDir names the tree of a folder, its sub-folders first.
func (c *commit) hashDir(dir string) string {
	subs := map[string]bool{}
	prefix := ""
	if dir != "" {
		prefix = dir + "/"
	}
	for name := range c.files {
		if rest, inside := strings.CutPrefix(name, prefix); inside {
			if sub, _, nested := strings.Cut(rest, "/"); nested {
				subs[prefix+sub] = true
			}
		}
	}
	for sub := range subs {
		c.hashDir(sub)
	}
	var data []byte
	for _, e := range c.list(dir) {
		raw, _ := hex.DecodeString(e.sha) // our own hex
		data = append(data, e.mode+" "+e.name+"\x00"...)
		data = append(data, raw...)
	}
	c.dirs[dir] = objectID("tree", data)
	return c.dirs[dir]
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
