package trigger

import (
	"errors"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/jobs/config"
)

func TestJobs(t *testing.T) {
	const jobs = "jobs: {a: {lava: a.yaml}, b: {lava: b.yaml, on: [push]}}\n"
	for _, tt := range []struct {
		name, on string
		facts    Facts
		want     string // the jobs, or why there are none
	}{
		{"plain", "[pull_request, push]", Facts{Action: "opened"}, "a"},
		{"by hand", "{push: , pull_request: {types: [opened]}}", Facts{}, "a"},
		{
			"not its type", "{push: , pull_request: {types: [opened]}}",
			Facts{Action: "synchronize"},
			"pull_request synchronize is not among the file's types",
		},
		{
			"labeled without labels", "[pull_request, push]",
			Facts{Action: "labeled"},
			"pull_request labeled is not among the file's types",
		},
		{"labeled", "{push: , pull_request: {labels: hw}}", Facts{Action: "labeled", Labels: []string{"hw"}}, "a"},
		{
			"no such label", "{push: , pull_request: {labels: hw}}",
			Facts{Action: "opened"},
			"the pull request has none of the file's labels",
		},
		{
			"branch", "{push: , pull_request: {branches: [main, releases/**]}}",
			Facts{Action: "opened", Base: "releases/1/x"},
			"a",
		},
		{
			"other branch", "{push: , pull_request: {branches: [main]}}",
			Facts{Action: "opened", Base: "next"},
			"the base branch is filtered out",
		},
		{
			"ignored branch", "{push: , pull_request: {branches-ignore: [next]}}",
			Facts{Action: "opened", Base: "next"},
			"the base branch is filtered out",
		},
		{
			"paths", "{push: , pull_request: {paths: ['src/**', '!src/doc/**']}}",
			Facts{Action: "opened", Files: files("README", "src/a.c")},
			"a",
		},
		{
			"other paths", "{push: , pull_request: {paths: ['src/**', '!src/doc/**']}}",
			Facts{Action: "opened", Files: files("src/doc/x")},
			"no changed file passes the file's paths",
		},
		{
			"only ignored paths", "{push: , pull_request: {paths-ignore: ['**.md']}}",
			Facts{Action: "opened", Files: files("a/b.md")},
			"no changed file passes the file's paths",
		},
		{"push only", "push", Facts{Action: "opened"}, ".github/gantry.yml does not name pull_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, r := config.Parse([]byte("version: 1\non: " + tt.on + "\n" + jobs))
			if !r.Valid() {
				t.Fatal(r.Err())
			}
			list, why, err := Jobs(c, tt.facts)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, j := range list {
				names = append(names, j.Name)
			}
			if got := strings.Join(names, " ") + why; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func files(names ...string) func() ([]string, error) {
	return func() ([]string, error) { return names, nil }
}

func TestJobsFilesFail(t *testing.T) {
	c, r := config.Parse([]byte("version: 1\non: {pull_request: {paths: [a]}}\njobs: {a: {lava: a.yaml}}\n"))
	if !r.Valid() {
		t.Fatal(r.Err())
	}
	boom := errors.New("boom")
	if _, _, err := Jobs(c, Facts{Action: "opened", Files: func() ([]string, error) {
		return nil, boom
	}}); !errors.Is(err, boom) {
		t.Error(err)
	}
}

func TestLike(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"main", "main", true},
		{"main", "main2", false},
		{"*", "a", true},
		{"*", "a/b", false},
		{"**", "a/b", true},
		{"releases/**", "releases/1/2", true},
		{"**/a.c", "a.c", true},
		{"**/a.c", "x/y/a.c", true},
		{"*.c", "a.c", true},
		{"*.c", "axc", false},
		{"v[12].[0-9]+", "v1.10", true},
		{"v[12].[0-9]+", "v3.1", false},
		{"*.jsx?", "p.js", true},
		{"a(b", "a(b", true},
		{"日本*", "日本語", true},
		{"\\*", "*", true},
		{"[", "[", false},
	} {
		if got := matches(tt.name, tt.pattern); got != tt.want {
			t.Errorf("%q matches %q: %v", tt.name, tt.pattern, got)
		}
	}
}

func TestPolicy(t *testing.T) {
	p := Policy{Repositories: []string{"octo/*", "other/kernel"}}
	for repo, want := range map[string]bool{"octo/x": true, "other/kernel": true, "other/x": false, "octo/x/y": false} {
		if got := p.Serves(repo); got != want {
			t.Errorf("%s: %v", repo, got)
		}
	}
	if !(Policy{}).Serves("any/one") || p.Validate() != nil {
		t.Error("the empty policy serves everybody")
	}
	if (Policy{Repositories: []string{"["}}).Validate() == nil || (Policy{Forks: "all"}).Validate() == nil {
		t.Error("a bad policy is valid")
	}
}
