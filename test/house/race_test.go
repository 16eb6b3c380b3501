package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestRaceless holds that what make test runs without the race detector starts no goroutines, neither itself nor in
// its tests: the packages of the Makefile's RACELESS.
func TestRaceless(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^RACELESS := ((?:.*\\\n)*.*)$`).FindSubmatch(makefile)
	if m == nil {
		t.Fatal("the Makefile has no RACELESS")
	}
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-f", "{{.Dir}}"},
		strings.Fields(strings.ReplaceAll(string(m[1]), "\\\n", " "))...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal("go list:", err)
	}
	for dir := range strings.FieldsSeq(string(out)) {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range concurrent(f) {
				t.Errorf("%s: a package of RACELESS has goroutines: take it out of the Makefile's list", set.Position(at))
			}
		}
	}
}

// concurrent are the places where a file starts a goroutine, or shares something with one.
func concurrent(f *ast.File) (all []token.Pos) {
	for _, imp := range f.Imports {
		path, err := strconv.Unquote(imp.Path.Value)
		if err != nil || path == "sync/atomic" || path == "net/http/httptest" ||
			strings.HasPrefix(path, "golang.org/x/sync/") {
			all = append(all, imp.Pos())
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			all = append(all, n.Pos())
		case *ast.SelectorExpr:
			from, ok := n.X.(*ast.Ident)
			// A value that is made once is safe by itself.
			once := slices.Contains([]string{"Once", "OnceFunc", "OnceValue", "OnceValues"}, n.Sel.Name)
			if n.Sel.Name == "Go" || n.Sel.Name == "AfterFunc" || ok && from.Name == "sync" && !once {
				all = append(all, n.Pos())
			}
		}
		return true
	})
	return all
}

// TestConcurrent proves that TestRaceless can say no.
func TestConcurrent(t *testing.T) {
	for src, want := range map[string]int{
		`func f() { go f() }`:                          1,
		`func f(g group) { g.Go(nil) }`:                1,
		`import "sync"; var mu sync.Mutex`:             1,
		`import "sync/atomic"; var n atomic.Int64`:     1,
		`import "sync"; var f = sync.OnceValue(g)`:     0,
		`import "net/http/httptest"`:                   1,
		`func f() { time.AfterFunc(d, g) }`:            1,
		`import "strings"; var s = strings.Fields("")`: 0,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x;"+src, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(concurrent(f)); got != want {
			t.Errorf("%s: %d places, want %d", src, got, want)
		}
	}
}
