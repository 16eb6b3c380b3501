package runner_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/plan"
)

// actions are the deploy, the boot and the test of a job, each as the job has it.
func actions(t *testing.T, src []byte) (head, deploy, boot, test string) {
	t.Helper()
	head, rest, _ := strings.Cut(string(src), "- deploy:")
	deploy, rest, _ = strings.Cut(rest, "- boot:")
	boot, test, ok := strings.Cut(rest, "- test:")
	if !ok {
		t.Fatalf("no deploy, boot and test in %s", src)
	}
	return head, "- deploy:" + deploy, "- boot:" + boot, "- test:" + test
}

// booted is a job whose test passes if the kernel was booted with a word, and without another.
func booted(t *testing.T, name, word, without string) []byte {
	t.Helper()
	return source(t, func(p *params) {
		p.Append += " " + word
		p.Steps = list(
			"lava-test-case "+name+"-word --shell grep -w "+word+" /proc/cmdline",
			"lava-test-case "+name+"-alone --shell '! grep -w "+without+" /proc/cmdline'",
		)
	})
}

// TestSecondDeploy deploys and boots twice in one namespace: each boot boots the images of the deploy before it.
func TestSecondDeploy(t *testing.T) {
	t.Parallel()
	root := images(t)
	_, deploy, boot, test := actions(t, booted(t, "second", "gantry.two", "gantry.one"))
	src := string(booted(t, "first", "gantry.one", "gantry.two")) + deploy + boot + test
	res, dir := serve(t, []byte(src), plan.Policy{FileRoots: []string{root}})
	check(t, res, verdict{
		"pass", "", "",
		"0_smoke/first-word=pass 0_smoke/first-alone=pass 1_smoke/second-word=pass 1_smoke/second-alone=pass",
	})
	b, err := os.ReadFile(filepath.Join(dir, results.ConsoleLog("")))
	if err != nil || strings.Count(string(b), "Linux version") != 2 {
		t.Errorf("the console has %d boots, %v", strings.Count(string(b), "Linux version"), err)
	}
}

// TestTwoGuests boots a guest in each of two namespaces, of one device. Both run at the same time, each with its own
// images, console and tests.
func TestTwoGuests(t *testing.T) {
	t.Parallel()
	root := images(t)
	within := func(namespace string, src []byte) []byte {
		s := strings.Replace(string(src), "- deploy:\n", "- deploy:\n    namespace: "+namespace+"\n", 1)
		s = strings.Replace(s, "- boot: {", "- boot: {namespace: "+namespace+", ", 1)
		return []byte(strings.Replace(s, "- test:\n", "- test:\n    namespace: "+namespace+"\n", 1))
	}
	head, deploy1, boot1, test1 := actions(t, within("one", booted(t, "first", "gantry.one", "gantry.two")))
	test1 = strings.Replace(test1, "steps: [", `steps: ["lava-test-feedback --namespace two", `, 1)
	if !strings.Contains(test1, "feedback") {
		t.Fatalf("no list of steps in %s", test1)
	}
	_, deploy2, boot2, test2 := actions(t, within("two", booted(t, "second", "gantry.two", "gantry.one")))
	src := head + deploy1 + deploy2 + boot1 + boot2 + test1 + test2
	res, dir := serve(t, []byte(src), plan.Policy{FileRoots: []string{root}})
	check(t, res, verdict{
		"pass", "", "",
		"0_smoke/first-word=pass 0_smoke/first-alone=pass 0_smoke/second-word=pass 0_smoke/second-alone=pass",
	})
	for name, word := range map[string]string{"": "gantry.one", "two": "gantry.two"} {
		b, err := os.ReadFile(filepath.Join(dir, results.ConsoleLog(name)))
		if err != nil || strings.Count(string(b), "Linux version") != 1 || !strings.Contains(string(b), "init "+word) {
			t.Errorf("console %q: %v\n%s", name, err, b)
		}
	}
}
