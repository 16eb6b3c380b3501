package testdef_test

import (
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/internal/fetch"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/deploy/testdef"
)

const definition = "metadata: {format: Lava-Test Test Definition 1.0, name: fetched}\nrun: {steps: ['true']}\n"

// repository makes a repository of two commits, the first of which has a branch and a tag; it returns their ids.
func repository(t *testing.T, dir string) (first, second string) {
	t.Helper()
	git := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		cmd.Env = append(
			os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a",
			"GIT_COMMITTER_EMAIL=a@b",
		)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	write(t, filepath.Join(dir, "ci", "t.yaml"), definition)
	git("init", "-q", "-b", "main")
	git("add", ".")
	git("commit", "-qm", "one")
	git("branch", "old")
	git("tag", "v1")
	first = git("rev-parse", "HEAD")
	write(t, filepath.Join(dir, "second"), "2")
	write(t, filepath.Join(dir, ".gitmodules"), "[submodule \"m\"]\n\tpath = m\n\turl = file:///etc\n")
	git("add", ".")
	git("update-index", "--add", "--cacheinfo", "160000,"+first+",m")
	git("commit", "-qm", "two")
	return first, git("rev-parse", "HEAD")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const password = "s3cr3t-t0ken"

// serve is a git server. Below /private/ it asks for a password, and below /away/ it sends the client to another port.
func serve(t *testing.T, root string) *httptest.Server {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git here:", err)
	}
	out, err := exec.CommandContext(t.Context(), "git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	backend := func(prefix string) http.Handler {
		return &cgi.Handler{
			Path: filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"), Root: prefix,
			Env: []string{
				"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory",
				"GIT_CONFIG_VALUE_0=*",
			},
		}
	}
	other := httptest.NewServer(backend("/"))
	t.Cleanup(other.Close)
	mux := http.NewServeMux()
	mux.Handle("/open/", backend("/open"))
	mux.HandleFunc("/private/", func(w http.ResponseWriter, r *http.Request) {
		if _, p, _ := r.BasicAuth(); p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		backend("/private").ServeHTTP(w, r)
	})
	mux.Handle("/away/", http.RedirectHandler(other.URL+"/r/info/refs?service=git-upload-pack", http.StatusFound))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestGit(t *testing.T) {
	root := t.TempDir()
	server := serve(t, root)
	first, second := repository(t, filepath.Join(root, "r"))
	f := testdef.Fetcher{Policy: fetch.Policy{URLs: []string{server.URL + "/"}}}
	for _, tt := range []struct {
		name  string
		src   testdef.Source
		want  string
		files []string
	}{
		{"the default branch", testdef.Source{}, second, []string{".gitmodules", "ci", "m", "second"}},
		{"a branch", testdef.Source{Branch: "old"}, first, []string{"ci"}},
		{"a tag", testdef.Source{Branch: "v1"}, first, []string{"ci"}},
		{"a revision", testdef.Source{Revision: first}, first, []string{"ci"}},
		{"a short revision", testdef.Source{Revision: first[:10]}, first, []string{"ci"}},
		{"a revision that is a branch", testdef.Source{Revision: "old"}, first, []string{"ci"}},
		{"with history", testdef.Source{Branch: "old", History: true}, first, []string{".git", "ci"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "d")
			tt.src.From, tt.src.URL = testdef.Git, server.URL+"/open/r"
			got, err := f.Fetch(t.Context(), &tt.src, dir)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("commit %s, want %s", got, tt.want)
			}
			if d := cmp.Diff(tt.files, list(t, dir)); d != "" {
				t.Error(d)
			}
			if def, err := testdef.Parse(dir, "ci/t.yaml"); err != nil || def.Metadata.Name != "fetched" {
				t.Error(def, err)
			}
		})
	}
}

func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestGitRefused has what a stranger may not have, each with what it is told, and whose fault that is.
func TestGitRefused(t *testing.T) {
	root := t.TempDir()
	server := serve(t, root)
	repository(t, filepath.Join(root, "r"))
	served := fetch.Policy{URLs: []string{server.URL + "/"}}
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	for _, tt := range []struct {
		name   string
		policy fetch.Policy
		src    testdef.Source
		class  results.Class
		want   string
	}{
		{"this host", fetch.Policy{}, testdef.Source{URL: server.URL + "/open/r"}, results.ClassJob, "loopback"},
		{
			"this host by name",
			fetch.Policy{},
			testdef.Source{URL: "http://localhost" + port + "/open/r"},
			results.ClassJob,
			"is a loopback address",
		},
		{
			"a redirect to this host", served,
			testdef.Source{URL: server.URL + "/away/r"},
			results.ClassJob,
			"is a loopback address",
		},
		{"a file", served, testdef.Source{URL: "file://" + root + "/r"}, results.ClassJob, "http and https only"},
		{"a path", served, testdef.Source{URL: root + "/r"}, results.ClassJob, "http and https only"},
		{"a command", served, testdef.Source{URL: "ext::sh -c id"}, results.ClassJob, "http and https only"},
		{"the operator's command", fetch.Policy{Host: true}, testdef.Source{URL: "ext::sh -c id"}, results.ClassJob, ""},
		{
			"an option", served,
			testdef.Source{URL: server.URL + "/open/r", Branch: "--upload-pack=id"},
			results.ClassJob,
			"not the name of a branch",
		},
		{
			"a submodule that is a file", served,
			testdef.Source{URL: server.URL + "/open/r", Recursive: true},
			results.ClassJob,
			"transport 'file' not allowed",
		},
		{
			"no such branch", served,
			testdef.Source{URL: server.URL + "/open/r", Branch: "never"},
			results.ClassJob,
			"couldn't find remote ref never",
		},
		{
			"no such revision", served,
			testdef.Source{URL: server.URL + "/open/r", Revision: "never"},
			results.ClassJob,
			`no revision "never"`,
		},
		{"no password", served, testdef.Source{URL: server.URL + "/private/r"}, results.ClassJob, "could not read Username"},
		{
			"no server",
			fetch.Policy{URLs: []string{"http://127.0.0.1:1/"}},
			testdef.Source{URL: "http://127.0.0.1:1/r"},
			results.ClassInfrastructure, "connection refused",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.src.From = testdef.Git
			f := testdef.Fetcher{Policy: tt.policy}
			_, err := f.Fetch(t.Context(), &tt.src, filepath.Join(t.TempDir(), "d"))
			for range 2 { // a broken transfer is tried again, as a plan does
				if tt.class == results.ClassInfrastructure || results.ClassOf(err) != results.ClassInfrastructure {
					break
				}
				_, err = f.Fetch(t.Context(), &tt.src, filepath.Join(t.TempDir(), "d"))
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || results.ClassOf(err) != tt.class {
				t.Errorf("class %q: %v\nwant %q: %s", results.ClassOf(err), err, tt.class, tt.want)
			}
		})
	}
}

// TestCredentials holds that a password reaches the server and nothing else.
func TestCredentials(t *testing.T) {
	root := t.TempDir()
	server := serve(t, root)
	_, second := repository(t, filepath.Join(root, "r"))
	real, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	seen := filepath.Join(bin, "argv")
	script := fmt.Sprintf("#!/bin/sh\nfor a in \"$@\"; do echo \"$a\" >>%s; done\nexec %s \"$@\"\n", seen, real)
	if err := os.WriteFile(
		filepath.Join(bin, "git"), []byte(script), 0o700,
	); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	f := testdef.Fetcher{Policy: fetch.Policy{URLs: []string{server.URL + "/"}}}
	url := strings.Replace(server.URL, "://", "://me:"+password+"@", 1)
	dir := filepath.Join(t.TempDir(), "d")
	src := testdef.Source{From: testdef.Git, URL: url + "/private/r", History: true}
	got, err := f.Fetch(t.Context(), &src, dir)
	if err != nil || got != second {
		t.Fatal(got, err)
	}
	argv, err := os.ReadFile(seen)
	if err != nil || len(argv) == 0 {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(dir, ".git", "config"))
	if err != nil {
		t.Fatal(err)
	}
	src.Branch = "never"
	_, err = f.Fetch(t.Context(), &src, filepath.Join(t.TempDir(), "d"))
	if err == nil {
		t.Fatal("fetched a branch that is not there")
	}
	for where, text := range map[string]string{"argument list": string(argv), ".git/config": string(
		config,
	), "error": err.Error(), "log": src.Redacted()} {
		if strings.Contains(text, password) {
			t.Errorf("the password is in the %s: %s", where, text)
		}
	}
	src.URL = strings.Replace(url, "http:", "ftp:", 1)
	if err := f.Check(&src); err == nil || strings.Contains(err.Error(), password) {
		t.Error(err)
	}
}
