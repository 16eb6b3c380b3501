package format

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/results"
)

// linux is where the sources of a kernel are: the tree that GANTRY_LINUX_SOURCE names, or what the test needs of
// Debian's package linux-source. None of it is kept here, as its license is another.
func linux(t *testing.T) string {
	t.Helper()
	if tree := os.Getenv("GANTRY_LINUX_SOURCE"); tree != "" {
		return tree
	}
	if testing.Short() {
		t.Skip("unpacking the kernel's sources takes ten seconds")
	}
	archives, _ := filepath.Glob("/usr/src/linux-source-*.tar.xz")
	if len(archives) == 0 {
		t.Skip("no sources of Linux here: Debian's package linux-source brings them, or GANTRY_LINUX_SOURCE names a tree")
	}
	dir := t.TempDir()
	name := strings.TrimSuffix(filepath.Base(archives[0]), ".tar.xz")
	args := []string{"-xJf", archives[0], "-C", dir}
	for _, part := range []string{
		"Documentation/dev-tools/ktap.rst", "tools/testing/kunit", "tools/testing/selftests/kselftest",
		"tools/testing/selftests/run_kselftest.sh",
		"tools/testing/selftests/kselftest.h", "tools/testing/selftests/kselftest_harness.h", "tools/testing/selftests/size",
		"tools/testing/selftests/kcmp", "tools/testing/selftests/sigaltstack", "tools/testing/selftests/membarrier",
	} {
		args = append(args, name+"/"+part)
	}
	if out, err := exec.CommandContext(t.Context(), "tar", args...).CombinedOutput(); err != nil {
		t.Fatalf("unpack %s: %v\n%s", archives[0], err, out)
	}
	return filepath.Join(dir, name)
}

// TestLinux holds the parser to the kernel's own examples, parser and test runner.
func TestLinux(t *testing.T) {
	tree := linux(t)
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 here, which the kernel's own parser needs")
	}
	tool := filepath.Join(tree, "tools/testing/kunit")
	logs, _ := filepath.Glob(filepath.Join(tool, "test_data/*.log"))
	if len(logs) < 20 {
		t.Fatalf("%d logs in %s", len(logs), tool)
	}
	texts := examples(t, filepath.Join(tree, "Documentation/dev-tools/ktap.rst"))
	for _, log := range logs {
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(log)] = string(b)
	}
	t.Run("kunit_parser", func(t *testing.T) { compare(t, python, tool, texts) })
	t.Run("cut", func(t *testing.T) { compareCut(t, python, tool, texts) })
	t.Run("kselftest", func(t *testing.T) { kselftest(t, filepath.Join(tree, "tools/testing/selftests")) })
}

// examples are the literal blocks of the format's description that are whole documents.
func examples(t *testing.T, file string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, block := range regexp.MustCompile(`(?m)^::\n\n((?:\t.*\n|\n)+)`).FindAllStringSubmatch(string(b), -1) {
		if strings.HasPrefix(block[1], "\tKTAP version") {
			all[fmt.Sprintf("ktap.rst %d", len(all))] = strings.ReplaceAll("\n"+block[1], "\n\t", "\n")
		}
	}
	if len(all) < 3 {
		t.Fatalf("%d examples in %s", len(all), file)
	}
	return all
}

// walk prints what kunit_parser makes of each file: a line of its verdict, and one of each test.
const walk = `
import sys
sys.path.insert(0, sys.argv[1])
import kunit_parser
from kunit_parser import TestStatus as S
kunit_parser.stdout.print = lambda *a, **k: None
word = {S.SUCCESS: 'pass', S.FAILURE: 'fail', S.SKIPPED: 'skip', S.TEST_CRASHED: 'missing',
        S.NO_TESTS: 'none', S.FAILURE_TO_PARSE_TESTS: 'none'}
def walk(test, path):
    for sub in test.subtests:
        walk(sub, path + [sub.name])
        print('/'.join(path + [sub.name]).strip() + ': ' + word[sub.status])
for file in sys.argv[2:]:
    with open(file, errors='backslashreplace') as f:
        lines = f.readlines()
    try:
        test = kunit_parser.parse_run_tests(lines)
    except ValueError: # it read past the end
        print('== none 1 0')
        continue
    print('== %s %d %d' % (word[test.status], test.counts.errors, len(test.subtests)))
    walk(test, [])
`

// verdict is kunit_parser's.
type verdict struct {
	result string
	errors int
	tests  []string // "path: result", in the order of their ends
}

// kunit asks the kernel's parser about texts.
func kunit(t *testing.T, python, tool string, texts []string) []verdict {
	t.Helper()
	dir := t.TempDir()
	args := []string{"-c", walk, tool}
	for i, text := range texts {
		file := filepath.Join(dir, strconv.Itoa(i))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	out, err := exec.CommandContext(t.Context(), python, args...).Output()
	if err != nil {
		t.Fatalf("run kunit_parser: %v", err)
	}
	var all []verdict
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "== ") {
			var v verdict
			var n int
			if _, err := fmt.Sscanf(line, "== %s %d %d", &v.result, &v.errors, &n); err != nil {
				t.Fatal(err)
			}
			all = append(all, v)
			continue
		}
		all[len(all)-1].tests = append(all[len(all)-1].tests, line)
	}
	if len(all) != len(texts) {
		t.Fatalf("kunit_parser spoke of %d texts of %d", len(all), len(texts))
	}
	return all
}

// read parses KTAP.
func read(t *testing.T, text string) []results.Case {
	t.Helper()
	p, err := New("ktap", "s")
	if err != nil {
		t.Fatal(err)
	}
	var cases []results.Case
	for i, line := range strings.SplitAfter(text, "\n") {
		cases = append(cases, p.Line([]byte(line), i+1)...)
	}
	return append(cases, p.Close()...)
}

// unnamed are the tests to which kunit_parser gives no name, as they did not run.
var unnamed = regexp.MustCompile(`(^|/)test-\d+: missing$`)

// known are lines of the parsers that differ for a reason: theirs, and ours instead.
func known() map[string][2][]string {
	return map[string][2][]string{
		// Its subtests stand behind "# " of the runner, and are read here.
		"test_is_test_passed-kselftest.log": {nil, []string{
			"membarrier/membarrier_test_multi_thread/sys membarrier invalid command test: command = -1, flags = 0, " +
				"errno = 22. Failed as expected: pass",
			"membarrier/membarrier_test_multi_thread/sys_membarrier available: pass",
			"membarrier/membarrier_test_single_thread/sys membarrier invalid command test: command = -1, flags = 0, " +
				"errno = 22. Failed as expected: pass",
			"membarrier/membarrier_test_single_thread/sys_membarrier available: pass",
		}},
		"test_is_test_passed-no_tests_run_with_header.log": {nil, []string{"plan: skip"}},
		// "NO TESTS RUN" and an error there; it said "ok".
		"test_is_test_passed-no_tests_no_plan.log": {
			[]string{"suite/case: none"}, []string{"suite/case/plan: missing", "suite/case: pass"},
		},
	}
}

// compare wants the same tests and results.
func compare(t *testing.T, python, tool string, texts map[string]string) {
	var names, all []string
	for name, text := range texts {
		names, all = append(names, name), append(all, text)
	}
	tests := 0
	for i, v := range kunit(t, python, tool, all) {
		var got []string
		for _, c := range read(t, all[i]) {
			name := c.Case
			if c.Set != nil {
				name = *c.Set + "/" + name
			}
			got = append(got, unnamed.ReplaceAllString(name+": "+c.Result, "$1: missing"))
		}
		want := v.tests
		if different, ok := known()[names[i]]; ok {
			want = slices.DeleteFunc(want, func(s string) bool { return slices.Contains(different[0], s) })
			want = append(want, different[1]...)
		}
		for j := range want { // sets there are part of a name
			want[j] = regexp.MustCompile(`^selftests: (\w+): `).ReplaceAllString(want[j], "$1/")
		}
		slices.Sort(got)
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: (-kunit_parser +ours)\n%s", names[i], d)
		}
		tests += len(want)
	}
	t.Logf("%d texts, %d tests", len(all), tests)
}

// compareCut cuts each text after each line, as a crash does. What kunit_parser does not let pass must not pass here;
// and results that are whole are the same.
func compareCut(t *testing.T, python, tool string, texts map[string]string) {
	var all []string
	for _, text := range texts {
		for at := range len(text) {
			if text[at] == '\n' {
				all = append(all, text[:at+1])
			}
		}
	}
	passed := 0
	for i, v := range kunit(t, python, tool, all) {
		whole, points := true, 0
		for _, c := range read(t, all[i]) {
			points++
			if c.Result != results.Pass && c.Result != results.Skip {
				whole = false
			}
		}
		if whole && points > 0 {
			passed++
			if v.result != results.Pass && v.result != results.Skip && !strings.HasSuffix(all[i], "\n1..0\n") ||
				v.errors > 0 && v.result != "none" {
				t.Errorf("it passes here, kunit_parser says %s, %d errors:\n%s", v.result, v.errors, all[i])
			}
		}
	}
	t.Logf("%d cuts, of which %d pass", len(all), passed)
}
