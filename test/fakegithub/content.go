package fakegithub

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Sizes up to which GitHub's contents API answers in each way.
const (
	inlineLimit = 1 << 20   // base64 in the JSON
	rawLimit    = 100 << 20 // only raw
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func escapePath(name string) string { return (&url.URL{Path: name}).EscapedPath() }

// getContents serves GET /repos/{owner}/{repo}/contents/{path}.
func (c *call) getContents() reply {
	repo := c.auth.repo
	at := repo.resolve(c.query("ref"))
	if at == nil {
		out := failure(http.StatusNotFound, "No commit found for the ref "+c.query("ref"))
		return out
	}
	name := strings.Trim(path.Clean("/"+c.op.params["path"]), "/")
	if file, ok := at.files[name]; ok {
		return c.fileContents(at, name, file)
	}
	if _, ok := at.dirs[name]; !ok || name == "." {
		return notFound()
	}
	accept := c.r.Header.Get("Accept")
	list := []object{}
	for _, e := range at.list(name) {
		list = append(list, c.entryJSON(at, path.Join(name, e.name), e))
	}
	if strings.Contains(accept, "object") {
		out := c.entryJSON(at, name, entry{name: path.Base(name), mode: modeDir, sha: at.dirs[name]})
		out["entries"] = list
		return ok(out)
	}
	return ok(list)
}

func (c *call) fileContents(at *commit, name string, file blob) reply {
	size := len(file.data)
	if size > rawLimit {
		return failure(
			http.StatusForbidden,
			"This API returns blobs up to 100 MB in size. The requested blob is too large to fetch via the API, but you can "+
				"use the Git Data API to request blobs up to 100 MB in size.",
		)
	}
	if strings.Contains(c.r.Header.Get("Accept"), "raw") {
		return reply{
			status: http.StatusOK, raw: nonNil(file.data), contentType: "application/vnd.github.raw+json; charset=utf-8",
		}
	}
	out := c.entryJSON(at, name, entry{name: path.Base(name), mode: file.mode, sha: file.sha, size: size})
	out["encoding"], out["content"] = "none", ""
	if size <= inlineLimit {
		out["encoding"], out["content"] = "base64", wrapped(file.data)
	}
	if file.mode == modeSymlink {
		out["target"] = string(file.data)
	}
	return ok(out)
}

func nonNil(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

// wrapped is base64 in lines of 60 characters, as GitHub sends it.
func wrapped(data []byte) string {
	text := base64.StdEncoding.EncodeToString(data)
	var b strings.Builder
	for line := range slices.Chunk([]byte(text), 60) {
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.String()
}

func (c *call) entryJSON(at *commit, name string, e entry) object {
	repo := c.auth.repo
	self := c.repoURL(repo) + "/contents/" + escapePath(name) + "?ref=" + at.sha
	html := c.repoHTML(repo) + "/blob/" + at.sha + "/" + escapePath(name)
	git := c.repoURL(repo) + "/git/blobs/" + e.sha
	kind, download := "file", any(c.url+rawPrefix+repo.fullName()+"/"+at.sha+"/"+escapePath(name))
	switch e.mode {
	case modeDir:
		kind, download = "dir", nil
		git = c.repoURL(repo) + "/git/trees/" + e.sha
		html = c.repoHTML(repo) + "/tree/" + at.sha + "/" + escapePath(name)
	case modeSymlink:
		kind = "symlink"
	}
	return object{
		"type": kind, "name": e.name, "path": name, "sha": e.sha, "size": e.size, "url": self, "html_url": html,
		"git_url":      git,
		"download_url": download, "_links": object{"self": self, "html": html, "git": git},
	}
}
