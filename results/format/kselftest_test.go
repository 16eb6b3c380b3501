package format

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/results"
)

// totals is a kselftest program's own count.
var totals = regexp.MustCompile(`^# # Totals: pass:(\d+) fail:(\d+) xfail:(\d+) xpass:(\d+) skip:(\d+) error:(\d+)$`)

// kselftest runs the kernel's runner over some of its tests, and some of ours that end in each way.
func kselftest(t *testing.T, selftests string) {
	cc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc here")
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(
		t.Context(), "cp", "-r", filepath.Join(selftests, "kselftest"), filepath.Join(selftests, "run_kselftest.sh"), dir,
	).CombinedOutput(); err != nil {
		t.Fatalf("copy the runner: %v\n%s", err, out)
	}
	var list []string
	add := func(collection, name string) string {
		if err := os.MkdirAll(filepath.Join(dir, collection), 0o700); err != nil {
			t.Fatal(err)
		}
		list = append(list, collection+":"+name)
		return filepath.Join(dir, collection, name)
	}
	for _, c := range [][]string{
		{"size", "get_size", "-static", "-ffreestanding", "-nostartfiles"},
		{"kcmp", "kcmp_test"},
		{"sigaltstack", "sas"},
		{"membarrier", "membarrier_test_single_thread"},
	} {
		args := append([]string{"-O1", filepath.Join(selftests, c[0], c[1]+".c"), "-o", add(c[0], c[1])}, c[2:]...)
		if out, err := exec.CommandContext(t.Context(), cc, args...).CombinedOutput(); err != nil {
			t.Fatalf("compile %s: %v\n%s", c[1], err, out)
		}
	}
	for _, s := range [][2]string{
		{"passes.sh", "exit 0"},
		{"fails.sh", "exit 3"},
		{"skips.sh", "echo no hardware; exit 4"},
		{"hangs.sh", "echo TAP version 13; echo 1..2; echo ok 1 before; exec sleep 60"},
		{
			"nested.sh",
			"echo TAP version 13; echo 1..3; echo 'ok 1 a'; echo '# why'; echo 'not ok 2 b'; echo 'ok 3 c # SKIP later'; " +
				"echo 'ok then'; exit 1",
		},
		{"deep.sh", "echo 1..1; echo '# TAP version 13'; echo '# 1..1'; echo '# ok 1 inner'; printf 'ok 1 outer'"},
		{"dies.sh", "echo TAP version 13; echo 1..2; echo ok 1 one; kill -SEGV $$"},
	} {
		if err := os.WriteFile(
			add("shapes", s[0]), []byte("#!/bin/sh\n"+s[1]+"\n"), 0o700,
		); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
	}
	add("shapes", "absent.sh")
	for file, text := range map[string]string{"shapes/settings": "timeout=1\n", "kselftest-list.txt": strings.Join(
		list, "\n",
	) + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), "sh", filepath.Join(dir, "run_kselftest.sh")).Output()
	if err != nil {
		t.Fatalf("run the selftests: %v\n%s", err, out)
	}
	wantShapes(t, string(out))
	wantTotals(t, string(out))
	summary, err := exec.CommandContext(
		t.Context(), "sh", filepath.Join(dir, "run_kselftest.sh"), "--summary", "-t", "shapes:fails.sh", "-t",
		"shapes:nested.sh",
	).Output()
	if err != nil {
		t.Fatalf("run the selftests: %v\n%s", err, summary)
	}
	const want = "shapes/fails.sh: fail \"exit=3\" @4\nshapes/nested.sh: fail \"exit=1\" @6\n"
	if d := cmp.Diff(want, show(t, "kselftest", string(summary))); d != "" {
		t.Errorf("%s\n%s", d, summary)
	}
}

// wantShapes wants our own programs' results.
func wantShapes(t *testing.T, out string) {
	t.Helper()
	const want = `shapes/passes.sh: pass
shapes/fails.sh: fail "exit=3"
shapes/skips.sh: skip
shapes/hangs.sh/before: pass
shapes/hangs.sh/test-2: missing "planned as one of 2, not reported"
shapes/hangs.sh: fail "timed out: 1 seconds"
shapes/nested.sh/a: pass
shapes/nested.sh/b: fail "why"
shapes/nested.sh/c: skip "later"
shapes/nested.sh: fail "exit=1\nok then"
shapes/deep.sh/outer/inner: pass
shapes/deep.sh/outer: pass
shapes/deep.sh: pass
shapes/dies.sh/one: pass
shapes/dies.sh/test-2: missing "planned as one of 2, not reported"
shapes/dies.sh: fail "exit=139\nSegmentation fault"
shapes/absent.sh: fail "Warning: file absent.sh is missing!"
`
	var got strings.Builder
	for line := range strings.Lines(show(t, "kselftest", out)) {
		if strings.HasPrefix(line, "shapes/") {
			got.WriteString(line[:strings.LastIndex(line, " @")] + "\n")
		}
	}
	if d := cmp.Diff(want, got.String()); d != "" {
		t.Errorf("%s\n%s", d, out)
	}
}

// wantTotals wants of each of the kernel's programs as many results as it counts itself.
func wantTotals(t *testing.T, out string) {
	t.Helper()
	counted, at := map[int][]string{}, 0 // by line
	for s := bufio.NewScanner(strings.NewReader(out)); s.Scan(); {
		if at++; totals.MatchString(s.Text()) {
			counted[at] = totals.FindStringSubmatch(s.Text())[1:]
		}
	}
	if len(counted) < 2 {
		t.Fatalf("%d programs said their totals:\n%s", len(counted), out)
	}
	cases := read(t, out)
	for _, got := range only(cases) { // none where the running kernel has no kcmp
		if got != "kcmp_test/totals: pass 3 results are only counted: pass:3 fail:0 xfail:0 xpass:0 skip:0 error:0" {
			t.Error(got)
		}
	}
	for line, m := range counted {
		count := map[string]int{}
		for _, c := range cases { // those of a document that ends there
			if c.Set != nil && strings.Contains(*c.Set, "/") && *c.LogLine <= line && document(out, *c.LogLine, line) {
				count[c.Result]++
			}
		}
		if len(count) == 1 && count[results.Pass] == 1 && m[0] == "3" {
			continue // kcmp_test, which does not print its results
		}
		want := map[string]int{}
		for i, result := range []string{results.Pass, results.Fail, results.Skip, results.Pass, results.Skip, results.Fail} {
			if n, err := strconv.Atoi(m[i]); err == nil && n > 0 {
				want[result] += n
			}
		}
		if d := cmp.Diff(want, count); d != "" {
			t.Errorf("line %d: %s\n%s", line, d, out)
		}
	}
}

// document says that no test begins between two lines.
func document(out string, from, to int) bool {
	for _, line := range strings.Split(out, "\n")[from:to] {
		if strings.HasPrefix(line, "# selftests: ") {
			return false
		}
	}
	return true
}

// only are the results that a program counted and did not print.
func only(cases []results.Case) []string {
	var all []string
	for _, c := range cases {
		if c.Case == "totals" {
			all = append(all, filepath.Base(*c.Set)+"/totals: "+c.Result+" "+c.Message)
		}
	}
	return all
}
