package format

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGTest compiles a program with the real GoogleTest, and reads what it prints, what it prints when it crashes, and
// its XML.
func TestGTest(t *testing.T) {
	cxx, err := exec.LookPath("g++")
	if err != nil {
		t.Skip("no g++ here")
	}
	if _, err := os.Stat("/usr/include/gtest/gtest.h"); err != nil {
		t.Skip("no GoogleTest here: libgtest-dev brings it")
	}
	dir := t.TempDir()
	sample, report := filepath.Join(dir, "sample"), filepath.Join(dir, "sample.xml")
	build := exec.CommandContext(
		t.Context(), cxx, "-O0", "testdata/sample.cc", "-o", sample, "-lgtest", "-lgtest_main", "-lpthread",
	)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("compile: %v\n%s", err, out)
	}
	printed, _ := exec.CommandContext(
		t.Context(), sample, "--gtest_output=xml:"+report,
	).Output() // it fails: so do some of its tests
	crash := exec.CommandContext(t.Context(), sample)
	crash.Env = append(os.Environ(), "CRASH=1")
	crashed, _ := crash.Output()
	written, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	const first = `Foo/Works: pass
Foo/Fails: fail
Foo/Skips: skip
`
	const typed = `Ty/0/Size: pass
Ty/1/Size: fail
`
	const rest = `Zoo/Crash: pass
Zoo/After: pass
Inst/P/Each/0: pass
Inst/P/Each/1: fail
`
	for name, tc := range map[string]struct{ format, text, want string }{
		"printed": {"gtest", string(printed), first + typed + rest},
		"crashed": {"gtest", string(crashed), first + typed + "Zoo/Crash: missing\n3 more tests: missing\n"},
		"XML":     {"junit", string(written), first + "Foo/DISABLED_Off: skip\n" + typed + rest},
	} {
		var got strings.Builder
		for line := range strings.Lines(show(t, tc.format, tc.text)) {
			test, rest, _ := strings.Cut(line, ": ")
			got.WriteString(test + ": " + strings.Fields(rest)[0] + "\n")
		}
		if d := cmp.Diff(tc.want, got.String()); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
}
