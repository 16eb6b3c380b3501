package house_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// link is a link to a file of the repository.
var link = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)

// TestLinks holds that what the documents point to is there, and that the README leads to each of them.
func TestLinks(t *testing.T) {
	root := filepath.Join("..", "..")
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(docs) == 0 {
		t.Fatal("no documents:", err)
	}
	readme := filepath.Join(root, "README.md")
	linked := map[string]bool{}
	for _, file := range append(docs, readme, filepath.Join(root, "CONTRIBUTING.md")) {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllSubmatch(b, -1) {
			to := filepath.Join(filepath.Dir(file), string(m[1]))
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: %v", strings.TrimPrefix(file, root), err)
			}
			linked[to] = linked[to] || file == readme
		}
	}
	for _, file := range docs {
		if !linked[file] {
			t.Errorf("the README does not lead to %s", strings.TrimPrefix(file, root))
		}
	}
}
