package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/app/checks"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/test/fakegithub"
)

// Files that are not valid are a failed check with annotations at their lines, and no run.
func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		files map[string]string
		check string
		path  string
		line  int
		title string
		state string
	}{
		{
			"unknown key",
			map[string]string{".github/gantry.yml": "version: 1\non: pull_request\njobs:\n  smoke: {lav: ci/smoke.yaml}\n"},
			"gantry", ".github/gantry.yml", 4, "lav", store.DeliveryRefused,
		},
		{
			"not YAML",
			map[string]string{".github/gantry.yml": "version: 1\n\tjobs: {\n"},
			"gantry", ".github/gantry.yml", 2, ".github/gantry.yml:2", store.DeliveryRefused,
		},
		{
			"over 1 MiB",
			map[string]string{".github/gantry.yml": "version: 1\n#" + strings.Repeat("x", 1<<20)},
			"gantry", ".github/gantry.yml", 1, "too large", store.DeliveryRefused,
		},
		{
			"no job file",
			map[string]string{".github/gantry.yml": gantryYAML},
			"smoke", ".github/gantry.yml", 4, "ci/smoke.yaml", store.DeliveryRefused,
		},
		{
			"job file with a typo",
			map[string]string{
				".github/gantry.yml": gantryYAML, "ci/smoke.yaml": strings.Replace(smokeYAML, "prompts", "promts", 1),
			},
			"smoke", "ci/smoke.yaml", 14, "ci/smoke.yaml:14", store.DeliveryRefused,
		},
		{
			"no list of known failures",
			map[string]string{".github/gantry.yml": "known-failures: ci/known.yaml\n" + gantryYAML, "ci/smoke.yaml": smokeYAML},
			"smoke", ".github/gantry.yml", 5, "there is no file ci/known.yaml", store.DeliveryRefused,
		},
		{
			"a list of known failures with a typo",
			map[string]string{
				".github/gantry.yml": "known-failures: ci/known.yaml\n" + gantryYAML, "ci/smoke.yaml": smokeYAML,
				"ci/known.yaml": "qemu:\n- {test: 0_smoke/frob, coment: x}\n",
			},
			"smoke", "ci/known.yaml", 2, "ci/known.yaml:2", store.DeliveryRefused,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			_, d := l.open(tt.files)
			c := l.check("failure")
			if c.Name != tt.check || !strings.Contains(c.Title+c.Summary, tt.title) {
				t.Errorf("check %q: %q\n%s", c.Name, c.Title, c.Summary)
			}
			if len(c.Annotations) == 0 || c.Annotations[0].Path != tt.path || c.Annotations[0].StartLine != tt.line {
				t.Errorf("annotations: %+v", c.Annotations)
			}
			if got := l.ended(d.GUID); got.State != tt.state || got.Reason == "" {
				t.Errorf("delivery: %s: %s", got.State, got.Reason)
			}
			if len(l.runs()) != 0 {
				t.Error("there are runs")
			}
		})
	}
}

func TestNoConfig(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	_, d := l.open(map[string]string{"README": "hello"})
	if got := l.ended(d.GUID); got.State != store.DeliveryIgnored || !strings.Contains(got.Reason, ".github/gantry.yml") {
		t.Errorf("%s: %s", got.State, got.Reason)
	}
	if n := len(l.repo.CheckRuns()); n != 0 {
		t.Errorf("%d checks", n)
	}
}

// A re-run of a commit whose files are refused is refused again, in a new check run, for which GitHub waits.
func TestRerunOfRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.open(map[string]string{".github/gantry.yml": "version: 1\n"})
	c := l.check("failure")
	e, err := l.repo.CheckRunEvent("rerequested", c.ID, "maintainer", "")
	if err != nil {
		t.Fatal(err)
	}
	l.send(e, fakegithub.DeliveryOptions{})
	l.until(func() string {
		if shown := l.repo.CheckRuns(); len(shown) != 2 || shown[1].Conclusion != checks.Failure {
			return fmt.Sprintf("%+v", shown)
		}
		return ""
	})
	// An event that arrives twice creates nothing new.
	l.ended(l.pullEvent("synchronize", 1).GUID)
	if n := len(l.repo.CheckRuns()); n != 2 {
		t.Errorf("%d check runs", n)
	}
}
