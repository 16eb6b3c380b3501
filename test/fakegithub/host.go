package fakegithub

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// GitHub redirects downloads to hosts of their own. Here they are prefixes. The
// real links carry a token that is good for minutes; the ids and SHAs in these
// are secret enough for a fake.
const (
	rawPrefix      = "/raw.githubusercontent.com/" // owner/repo/sha/path
	tarPrefix      = "/codeload.github.com/"       // owner/repo/legacy.tar.gz/sha
	artifactPrefix = "/artifacts.githubusercontent.com/"
)

func (c *call) redirect(to string) reply {
	return reply{status: http.StatusFound, header: http.Header{"Location": {c.url + to}}}
}

// download answers a request to one of the other hosts.
func (s *Server) download(w http.ResponseWriter, r *http.Request) (served bool) {
	var find func(repo *repository, rest string) []byte
	var rest string
	for prefix, finder := range map[string]func(*repository, string) []byte{
		rawPrefix: rawFile, tarPrefix: tarball, artifactPrefix: artifactZip,
	} {
		if after, is := strings.CutPrefix(r.URL.Path, prefix); is {
			find, rest = finder, after
		}
	}
	if find == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	parts := strings.SplitN(rest, "/", 3)
	if len(parts) == 3 {
		if repo, known := s.state.repos[strings.ToLower(parts[0]+"/"+parts[1])]; known {
			if data := find(repo, parts[2]); data != nil {
				w.Header().Set("Content-Type", "application/octet-stream")
				_, _ = w.Write(data) // a client that is gone is the client's business
				return true
			}
		}
	}
	http.Error(w, "404: Not Found", http.StatusNotFound)
	return true
}

func rawFile(repo *repository, rest string) []byte {
	sha, name, _ := strings.Cut(rest, "/")
	at, known := repo.commits[sha]
	if !known {
		return nil
	}
	file, known := at.files[name]
	if !known {
		return nil
	}
	return nonNil(file.data)
}

func artifactZip(repo *repository, rest string) []byte {
	id, _ := strconv.ParseInt(rest, 10, 64) // no artifact has id 0
	for _, a := range repo.artifacts {
		if a.id == id {
			return a.data
		}
	}
	return nil
}

// getTarball serves GET /repos/{owner}/{repo}/tarball/{ref}.
func (c *call) getTarball() reply {
	at := c.auth.repo.resolve(strings.Trim(c.op.params["ref"], "/"))
	if at == nil {
		return notFound()
	}
	return c.redirect(tarPrefix + c.auth.repo.fullName() + "/legacy.tar.gz/" + at.sha)
}

// tarball packs a commit as GitHub does: below one folder named after it.
func tarball(repo *repository, rest string) []byte {
	at, known := repo.commits[path.Base(rest)]
	if !known {
		return nil
	}
	top := fmt.Sprintf("%s-%s-%s", repo.owner.login, repo.name, at.sha[:7])
	var out bytes.Buffer
	gz := gzip.NewWriter(&out)
	tw := tar.NewWriter(gz)
	for _, name := range sortedKeys(at.files) {
		file := at.files[name]
		h := &tar.Header{
			Typeflag: tar.TypeReg, Name: top + "/" + name, Mode: 0o664, Size: int64(len(file.data)), ModTime: at.when,
		}
		switch file.mode {
		case modeExec:
			h.Mode = 0o775
		case modeSymlink:
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, string(file.data), 0
		}
		if tw.WriteHeader(h) != nil {
			return nil
		}
		if h.Size > 0 {
			if _, err := tw.Write(file.data); err != nil {
				return nil
			}
		}
	}
	if tw.Close() != nil || gz.Close() != nil {
		return nil
	}
	return out.Bytes()
}
