package fakegithub

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
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
