package jobs_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
)

const corpus = "../../shared/corpus"

type verdict struct {
	Valid bool   `json:"valid"`
	Error string `json:"error"`
	Path  []string
}

func verdicts(t testing.TB, file string) map[string]map[string]verdict {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(corpus, file))
	if err != nil {
		t.Skip("the corpus is not beside the checkout: ", err)
	}
	var v map[string]map[string]verdict
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// filePath turns upstream's path into the path in the file: the element that names the method is left out.
func filePath(p []string) string {
	var b strings.Builder
	for i, e := range p {
		if i == 2 && strings.HasPrefix(p[0], "actions[") && p[1] != "command" {
			continue
		}
		if strings.Trim(e, "0123456789") == "" && e != "" {
			b.WriteString("[" + e + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(e)
	}
	return b.String()
}

// compare reads every file and wants at least the given shares of equal verdicts and of equal paths of the first error.
func compare(t *testing.T, file string, modes map[string]schema.Mode, verdictShare, pathShare float64) {
	t.Helper()
	agree, total, same, paths := 0, 0, 0, 0
	for name, byMode := range verdicts(t, file) {
		src, err := os.ReadFile(filepath.Join(corpus, name))
		if err != nil {
			t.Fatal(err)
		}
		for m, want := range byMode {
			total++
			_, r := jobs.ParseJob(src, modes[m])
			if r.Valid() != want.Valid {
				t.Logf("%s %s: upstream %v %s; here %v", name, m, want.Valid, want.Error, r.Err())
				continue
			}
			agree++
			if want.Valid {
				continue
			}
			paths++
			if got := r.Errors[0].Path; got == filePath(want.Path) {
				same++
			} else {
				t.Logf("%s %s: path %s; upstream %s %s", name, m, got, filePath(want.Path), want.Error)
			}
		}
	}
	t.Logf("%s: %d of %d verdicts agree; %d of %d first paths", file, agree, total, same, paths)
	if float64(agree) < verdictShare*float64(total) || float64(same) < pathShare*float64(paths) {
		t.Errorf("want shares of at least %v and %v", verdictShare, pathShare)
	}
}

func TestCorpus(t *testing.T) {
	compare(t, "verdicts.json", map[string]schema.Mode{"strict": schema.Strict, "lenient": schema.Lenient}, 1, 0.95)
}

func TestMutated(t *testing.T) {
	compare(t, "mutated/verdicts.json", map[string]schema.Mode{"strict": schema.Strict}, 0.99, 0.95)
}

func TestDeviceCorpus(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(corpus, "lava/devices/*.yaml"))
	if len(files) == 0 {
		t.Skip("the corpus is not beside the checkout")
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, r := jobs.ParseDevice(src); !r.Valid() {
			t.Errorf("%s: %v", f, r.Err())
		}
	}
}
