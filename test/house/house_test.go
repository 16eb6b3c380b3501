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
	cmd := exec.CommandContext(
		t.Context(), "go", "list", "-deps", "-json=ImportPath,Doc,Name,Imports,Deps,GoFiles", "./...",
	)
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

// rules is the table, from the top floor to the ground. "x" is the package x, "x/..." x and all below it.
func rules() []rule {
	return []rule{
		{"", []string{"cli"}},
		{"cli", []string{"app/...", "runner/...", "jobs/...", "results/...", "devices/...", "vmhost/...", "internal/..."}},

		{"app/...", []string{"app/...", "jobs/...", "results/...", "internal/..."}},
		{"runner", methods("runner/deploy", "runner/boot", "runner/testshell", "runner/command")},
		{"runner/lab", methods("runner", "jobs/lab")},
		{"runner/agent", []string{"jobs", "jobs/lab", "jobs/rpc/...", "results", "internal/..."}},
		{"runner/plan", []string{"runner/dut", "runner/journal", "jobs", "results", "internal/..."}},
		{"runner/flow", []string{"runner/plan", "runner/console", "runner/beside", "runner/overlay", "jobs", "results"}},
		{"runner/netboot", []string{"runner/plan", "runner/journal", "internal/..."}},
		{"runner/deploy", methods("runner/deploy/...")},
		{"runner/boot", methods()},
		{"runner/testshell", methods()},
		{"runner/command", methods()},
		{"runner/dut", []string{
			"runner/hosttool", "runner/journal", "devices/...", "vmhost/...", "jobs", "results",
			"internal/...",
		}},
		{"runner/...", []string{"runner/console", "jobs", "results/...", "internal/..."}},

		{"jobs/rpc/...", []string{"jobs/rpc/...", "jobs/lab", "jobs", "results"}},
		{"jobs/lab", []string{"jobs", "results", "internal/plaintext"}},
		{"jobs/config", []string{"jobs", "internal/schema", "internal/plaintext", "internal/shell"}},
		{"jobs", []string{"results", "internal/schema"}},

		{"results", []string{"internal/..."}},
		{"results/...", []string{"results/...", "internal/..."}},

		{"vmhost/...", []string{"vmhost/...", "internal/..."}},
		{"devices/...", []string{"devices/...", "internal/..."}},
		{"internal/...", nil},

		{"test/fakegithub/...", []string{"test/fakegithub/...", "test/openapi/..."}},
		{"test/...", []string{"..."}},
	}
}

// methods is what those rooms of the runner may import that execute methods.
func methods(more ...string) []string {
	return append([]string{
		"runner/plan", "runner/flow", "runner/dut", "runner/console", "runner/beside", "runner/overlay", "runner/netboot/...",
		"runner/hosttool/...", "runner/journal", "jobs", "results/...", "internal/...",
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

// TestImports holds the table for what is built. Tests are free: they cross rooms to put real parts together.
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
		"github.com/docker/docker/client":            {"runner/hosttool", "cli"},
		"go.bug.st/serial":                           {"devices/...", "cli"},
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
		"app/store":       {"jobs/rpc"},
		"app/queue":       {"app", "jobs/rpc", "google.golang.org/protobuf", "database/sql", "net/http"},
		"app/scheduler":   {"jobs/rpc"},
		"runner/lab":      {"jobs/rpc"},
		"results":         {"jobs"},
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
			t.Errorf(
				"%s: its doc comment is %q, and must begin with %q and say what it is for", relative(p.ImportPath), p.Doc, want,
			)
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
		{"cli", "test/demo"},
		{"runner/plan", "runner/testshell"},
		{"runner/plan", "runner/console"},
		{"runner/plan", "runner/flow"},
		{"runner/testshell", "runner/boot"},
		{"results/tap", "jobs"},
		{"results", "results/tap"},
		{"jobs/lab", "jobs/rpc"},
		{"internal/fetch", "internal/schema"},
		{"runner/lab", "vmhost/kvm"},
	} {
		if allowed(tt[0], tt[1]) {
			t.Errorf("%s may import %s", tt[0], tt[1])
		}
	}
}
