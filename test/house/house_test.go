// Package house_test holds the structure of the repository: who may import whom, and that every package says what it
// is for. docs/architecture.md has the table in words.
package house_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/gantry-ci/gantry"

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Doc        string
	Name       string
	Imports    []string
	Deps       []string
	GoFiles    []string
}

// packages are ours. The test cache does not see what go list reads, so run this with -count=1.
func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Doc,Name,Imports,Deps,GoFiles", "./...")
	cmd.Dir = "../.."
	// net and os/user use cgo where they find a C compiler; without one they must do, and so must the app.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal("go list:", err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p pkg
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/") {
			all = append(all, p)
		}
	}
	return all
}

// rule is a row of the table: the packages below room may import what is below one of its imports, and nothing else of
// ours. The first rule that fits a package holds.
type rule struct {
	room    string
	imports []string
}

// rules is the table. "x" is the package x, "x/..." x and all below it.
func rules() []rule {
	return []rule{
		{"test/fakegithub/...", []string{"test/fakegithub/...", "test/openapi/..."}},
		{"test/...", []string{"..."}},
		{"internal/cli/...", []string{"app/...", "runner/...", "jobs/...", "devices/...", "vmhost/...", "internal/..."}},
		{"internal/...", []string{"internal/..."}},
		{"jobs/rpc/...", []string{"jobs", "jobs/rpc/..."}},
		{"jobs/config/...", []string{"jobs", "internal/schema"}},
		{"jobs/...", []string{"jobs", "internal/schema"}},
		{"devices/...", []string{"devices/...", "internal/..."}},
		{"vmhost/...", []string{"vmhost/...", "internal/..."}},
		{"runner/agent/...", []string{"runner/agent/...", "jobs", "jobs/rpc/...", "internal/..."}},
		{"runner/target", []string{"jobs", "devices/...", "vmhost/...", "internal/..."}},
		{"runner", runner("runner/deploy", "runner/boot", "runner/test", "runner/command", "runner/agent", "jobs/export")},
		{"runner/plan", runner()},
		{"runner/deploy/...", runner()},
		{"runner/boot/...", runner()},
		{"runner/test/...", runner()},
		{"runner/command/...", runner()},
		{"runner/...", []string{"runner/console", "runner/testlog/...", "runner/kernlog/...", "runner/overlay", "runner/netboot/...", "runner/hosttool/...", "jobs", "internal/..."}},
		{"app/...", []string{"app/...", "jobs/...", "internal/..."}},
		{"", []string{"internal/cli"}},
	}
}

// runner is what the rooms of the runner may import of each other.
func runner(more ...string) []string {
	return append([]string{
		"runner/plan", "runner/target", "runner/console", "runner/testlog/...", "runner/kernlog/...", "runner/overlay", "runner/testdef",
		"runner/netboot/...", "runner/hosttool/...", "runner/journal", "jobs", "internal/...",
	}, more...)
}

func fits(room, rel string) bool {
	if room == "..." {
		return true
	}
	if below, ok := strings.CutSuffix(room, "/..."); ok {
		return rel == below || strings.HasPrefix(rel, below+"/")
	}
	return rel == room
}

func allowed(rel, imported string) bool {
	i := slices.IndexFunc(rules(), func(r rule) bool { return fits(r.room, rel) })
	if i < 0 {
		return false
	}
	return slices.ContainsFunc(rules()[i].imports, func(room string) bool { return fits(room, imported) })
}

func relative(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/")
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		rel := relative(p.ImportPath)
		for _, imp := range p.Imports {
			if strings.HasPrefix(imp, module) && !allowed(rel, relative(imp)) {
				t.Errorf("%s may not import %s", rel, relative(imp))
			}
		}
	}
}

// TestOnly holds the libraries that one room alone may know.
func TestOnly(t *testing.T) {
	only := map[string][]string{
		"github.com/google/go-github/v60/github":     {"app/ghapi"},
		"github.com/bradleyfalzon/ghinstallation/v2": {"app/ghapi"},
		"github.com/docker/docker/client":            {"runner/hosttool", "internal/cli"},
		"go.bug.st/serial":                           {"devices/...", "internal/cli"},
		"libvirt.org/go/libvirt":                     {"vmhost/..."},
	}
	for _, p := range packages(t) {
		for _, imp := range p.Imports {
			rooms, ok := only[imp]
			if ok && !slices.ContainsFunc(rooms, func(room string) bool { return fits(room, relative(p.ImportPath)) }) {
				t.Errorf("%s may not import %s: only %v may", relative(p.ImportPath), imp, rooms)
			}
		}
	}
}

// TestDeps holds what must not come in by any way: the app stays free of hardware and cgo.
func TestDeps(t *testing.T) {
	never := map[string][]string{
		"app":             {"runner", "devices", "vmhost", "runtime/cgo"},
		"test/fakegithub": {"app", "github.com/google/go-github"},
		"jobs":            {"app", "runner", "connectrpc.com/connect"},
	}
	for _, p := range packages(t) {
		for _, bad := range never[relative(p.ImportPath)] {
			for _, dep := range p.Deps {
				if fits(bad+"/...", relative(dep)) {
					t.Errorf("%s depends on %s", relative(p.ImportPath), dep)
				}
			}
		}
	}
}

func TestDocs(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue // tests only
		}
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command " + path.Base(p.ImportPath) + " "
		}
		if !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s: its doc comment is %q, and must begin with %q and say what it is for", relative(p.ImportPath), p.Doc, want)
		}
	}
}

// TestNames keeps out the names that say nothing.
func TestNames(t *testing.T) {
	for _, p := range packages(t) {
		if slices.Contains([]string{"util", "utils", "common", "helpers", "types", "misc", "shared", "base"}, p.Name) {
			t.Errorf("%s: a package is named after what it provides", relative(p.ImportPath))
		}
	}
}

// TestRules proves that the table can say no.
func TestRules(t *testing.T) {
	for _, tt := range [][2]string{
		{"app/hook", "runner/plan"},
		{"runner/deploy", "runner/boot"},
		{"runner/plan", "runner/agent"},
		{"runner/agent", "runner"},
		{"jobs", "app"},
		{"vmhost/qemu", "jobs"},
		{"internal/fetch", "jobs"},
		{"app", "test/fakegithub"},
		{"runner/boot", "vmhost/qemu"},
		{"runner/console", "runner/plan"},
		{"test/fakegithub", "app"},
		{"internal/cli", "test/demo"},
	} {
		if allowed(tt[0], tt[1]) {
			t.Errorf("%s may import %s", tt[0], tt[1])
		}
	}
}
