package house_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// row is a line of a table of docs/development.md that has all of these, each as code.
func row(t *testing.T, of ...string) bool {
	t.Helper()
	b, err := os.ReadFile("../../docs/development.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "|") && !slices.ContainsFunc(of, func(s string) bool {
			return !strings.Contains(line, "`"+s+"`")
		}) {
			return true
		}
	}
	return false
}

// TestFuzzTable holds that the manual lists each fuzz target with its package.
func TestFuzzTable(t *testing.T) {
	target := regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)
	found := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != "..":
			return fs.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		b, err := os.ReadFile(path)
		for _, m := range target.FindAllSubmatch(b, -1) {
			found++
			dir, _ := filepath.Rel("../..", filepath.Dir(path))
			if !row(t, dir, string(m[1])) {
				t.Errorf("docs/development.md does not list %s of %s", m[1], dir)
			}
		}
		return err
	})
	if err != nil || found == 0 {
		t.Errorf("%d fuzz targets, %v", found, err)
	}
}

// TestTrialsTable holds that the manual lists each trial.
func TestTrialsTable(t *testing.T) {
	b, err := os.ReadFile("../setup/trials.sh")
	if err != nil {
		t.Fatal(err)
	}
	trials := regexp.MustCompile(`(?m)^\t\t([a-z-]+)\|`).FindAllSubmatch(b, -1)
	for _, m := range trials {
		if !row(t, string(m[1])) {
			t.Errorf("docs/development.md does not list the trial %s", m[1])
		}
	}
	if len(trials) == 0 {
		t.Error("no trials found")
	}
}
