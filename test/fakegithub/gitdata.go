package fakegithub

import (
	"net/http"
	"path"
	"slices"
	"strings"
)

// pathCommit is the commit of the path's ref, SHA or branch.
func (c *call) pathCommit(param string) *commit { return c.auth.repo.resolve(c.op.params[param]) }

// getCommits serves GET /repos/{owner}/{repo}/commits, newest first.
func (c *call) getCommits() reply {
	at := c.auth.repo.resolve(c.query("sha"))
	if at == nil {
		return notFound()
	}
	var list []object
	for _, sha := range c.auth.repo.history(at.sha, "") {
		one := c.auth.repo.commits[sha]
		if name := c.query("path"); name == "" || one.touches(c.auth.repo.commits[one.parent], name) {
			list = append(list, c.commitJSON(c.auth.repo, one))
		}
	}
	return c.page(list)
}

// touches tells whether a commit changed a file, or one below a folder.
func (c *commit) touches(parent *commit, name string) bool {
	if parent == nil {
		parent = &commit{}
	}
	return c.dirs[name] != parent.dirs[name] || c.files[name].sha != parent.files[name].sha
}

// getCommit serves GET /repos/{owner}/{repo}/commits/{ref}.
func (c *call) getCommit() reply {
	at := c.pathCommit("ref")
	if at == nil {
		return failure(http.StatusUnprocessableEntity, "No commit found for SHA: "+c.op.params["ref"])
	}
	if strings.Contains(c.r.Header.Get("Accept"), "sha") {
		return reply{status: http.StatusOK, raw: []byte(at.sha), contentType: "application/vnd.github.sha"}
	}
	out := c.commitJSON(c.auth.repo, at)
	files := c.diffJSON(c.auth.repo, c.auth.repo.commits[at.parent], at)
	added, deleted := 0, 0
	for _, f := range files {
		added += f["additions"].(int)
		deleted += f["deletions"].(int)
	}
	if files == nil {
		files = []object{}
	}
	out["files"], out["stats"] = files, object{"additions": added, "deletions": deleted, "total": added + deleted}
	return ok(out)
}

// getGitCommit serves GET /repos/{owner}/{repo}/git/commits/{commit_sha}.
func (c *call) getGitCommit() reply {
	at, known := c.auth.repo.commits[c.op.params["commit_sha"]]
	if !known {
		return notFound()
	}
	full := c.commitJSON(c.auth.repo, at)
	out, _ := full["commit"].(object)
	delete(out, "comment_count")
	out["sha"], out["node_id"], out["url"] = at.sha, full["node_id"], c.commitURL(c.auth.repo, at.sha)
	out["html_url"], out["parents"] = full["html_url"], full["parents"]
	return ok(out)
}

// getTree serves GET /repos/{owner}/{repo}/git/trees/{tree_sha}, also for a commit or branch.
func (c *call) getTree() reply {
	at, dir := c.pathCommit("tree_sha"), ""
	if at == nil {
		if at, dir = c.auth.repo.findTree(c.op.params["tree_sha"]); at == nil {
			return notFound()
		}
	}
	list := []object{}
	c.addTree(&list, at, dir, "", c.r.URL.Query().Has("recursive"))
	return ok(object{
		"sha": at.dirs[dir], "url": c.repoURL(c.auth.repo) + "/git/trees/" + at.dirs[dir], "truncated": false, "tree": list,
	})
}

func (r *repository) findTree(sha string) (*commit, string) {
	for _, at := range r.commits {
		for dir, tree := range at.dirs {
			if tree == sha {
				return at, dir
			}
		}
	}
	return nil, ""
}

func (c *call) addTree(list *[]object, at *commit, dir, prefix string, recursive bool) {
	for _, e := range at.list(dir) {
		name := path.Join(prefix, e.name)
		one := object{
			"path": name, "mode": e.mode, "type": "blob", "sha": e.sha, "size": e.size,
			"url": c.repoURL(c.auth.repo) + "/git/blobs/" + e.sha,
		}
		if e.mode == modeDir {
			one["mode"], one["type"], one["url"] = "040000", "tree", c.repoURL(c.auth.repo)+"/git/trees/"+e.sha
			delete(one, "size")
		}
		*list = append(*list, one)
		if e.mode == modeDir && recursive {
			c.addTree(list, at, path.Join(dir, e.name), name, true)
		}
	}
}

// getBlob serves GET /repos/{owner}/{repo}/git/blobs/{file_sha}.
func (c *call) getBlob() reply {
	sha := c.op.params["file_sha"]
	for _, at := range c.auth.repo.commits {
		for _, file := range at.files {
			if file.sha != sha {
				continue
			}
			if strings.Contains(c.r.Header.Get("Accept"), "raw") {
				return reply{
					status: http.StatusOK, raw: nonNil(file.data), contentType: "application/vnd.github.raw+json; charset=utf-8",
				}
			}
			return ok(object{
				"sha": sha, "node_id": nodeID("B", c.auth.repo.id), "size": len(file.data), "encoding": "base64",
				"content": wrapped(file.data), "url": c.repoURL(c.auth.repo) + "/git/blobs/" + sha,
			})
		}
	}
	return notFound()
}

func (c *call) refJSON(ref, sha string) object {
	return object{
		"ref": ref, "node_id": nodeID("REF", c.auth.repo.id), "url": c.repoURL(c.auth.repo) + "/git/" + ref,
		"object": object{"type": "commit", "sha": sha, "url": c.commitURL(c.auth.repo, sha)},
	}
}

// getRef serves GET /repos/{owner}/{repo}/git/ref/{ref}.
func (c *call) getRef() reply {
	ref := "refs/" + c.op.params["ref"]
	if sha, known := c.auth.repo.refs()[ref]; known {
		return ok(c.refJSON(ref, sha))
	}
	return notFound()
}

// matchingRefs serves GET /repos/{owner}/{repo}/git/matching-refs/{ref}.
func (c *call) matchingRefs() reply {
	refs := c.auth.repo.refs()
	list := []object{}
	for _, ref := range sortedKeys(refs) {
		if strings.HasPrefix(ref, "refs/"+c.op.params["ref"]) {
			list = append(list, c.refJSON(ref, refs[ref]))
		}
	}
	return ok(list)
}

// getBranches serves GET /repos/{owner}/{repo}/branches.
func (c *call) getBranches() reply {
	var list []object
	for _, name := range sortedKeys(c.auth.repo.branches) {
		sha := c.auth.repo.branches[name]
		list = append(list, object{
			"name": name, "commit": object{"sha": sha, "url": c.repoURL(c.auth.repo) + "/commits/" + sha}, "protected": false,
		})
	}
	return c.page(list)
}

// getBranch serves GET /repos/{owner}/{repo}/branches/{branch}.
func (c *call) getBranch() reply {
	name := c.op.params["branch"]
	sha, known := c.auth.repo.branches[name]
	if !known {
		return failure(http.StatusNotFound, "Branch not found")
	}
	api := c.repoURL(c.auth.repo) + "/branches/" + escapePath(name)
	return ok(object{
		"name": name, "commit": c.commitJSON(c.auth.repo, c.auth.repo.commits[sha]), "protected": false,
		"_links":     object{"self": api, "html": c.repoHTML(c.auth.repo) + "/tree/" + escapePath(name)},
		"protection": object{"enabled": false}, "protection_url": api + "/protection",
	})
}

// compare serves GET /repos/{owner}/{repo}/compare/{basehead}.
func (c *call) compare() reply {
	left, right, _ := strings.Cut(c.op.params["basehead"], "...")
	repo := c.auth.repo
	base, head := repo.resolve(left), repo.resolve(right)
	if base == nil || head == nil {
		return notFound()
	}
	ahead, behind := repo.history(head.sha, base.sha), repo.history(base.sha, head.sha)
	status := "diverged"
	switch {
	case len(ahead) == 0 && len(behind) == 0:
		status = "identical"
	case len(behind) == 0:
		status = "ahead"
	case len(ahead) == 0:
		status = "behind"
	}
	from := repo.commits[repo.mergeBase(base.sha, head.sha)]
	commits := []object{}
	for _, sha := range slices.Backward(ahead) {
		commits = append(commits, c.commitJSON(repo, repo.commits[sha]))
	}
	files := c.diffJSON(repo, from, head)
	if files == nil {
		files = []object{}
	}
	html := c.repoHTML(repo) + "/compare/" + left + "..." + right
	return ok(object{
		"url": c.repoURL(repo) + "/compare/" + left + "..." + right, "html_url": html, "permalink_url": html,
		"diff_url": html + ".diff", "patch_url": html + ".patch", "base_commit": c.commitJSON(repo, base),
		"merge_base_commit": c.commitJSON(repo, from), "status": status, "ahead_by": len(ahead), "behind_by": len(behind),
		"total_commits": len(ahead), "commits": commits, "files": files,
	})
}
