package overlay

import (
	"io"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/results/signal"
)

// TestWords has the scripts spell no word of the protocol by themselves, and all places in them filled in.
func TestWords(t *testing.T) {
	entries, err := fs.ReadDir(scripts, "scripts")
	if err != nil || len(entries) == 0 {
		t.Fatal(entries, err)
	}
	words := []string{
		"<" + signal.Signal, "<" + signal.Own, signal.Runner, signal.Multinode, signal.Trailer, signal.Record,
		signal.Manifest,
	}
	for _, e := range entries {
		b, err := scripts.ReadFile("scripts/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			for _, w := range words {
				if !strings.HasPrefix(strings.TrimSpace(line), "#") && strings.Contains(line, w) {
					t.Errorf("%s spells %s: %s", e.Name(), w, line)
				}
			}
		}
	}
	place := regexp.MustCompile(`@[A-Z]{2,}@`)
	for f := range build(t, full()).Files() {
		if !strings.Contains(f.Path, "/bin/") || f.Open == nil {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if found := place.FindAll(b, -1); len(found) > 0 {
			t.Errorf("%s has places that nothing fills: %q", f.Path, found)
		}
	}
}
