package runner_test

import (
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/plan"
)

// foreign are definitions whose output is in other formats: on the console, and in a file.
const foreign = `
- test:
    definitions:
    - from: inline
      name: tap
      path: inline/tap.yaml
      repository:
        metadata: {format: Lava-Test Test Definition 1.0, name: tap}
        parse: {format: tap}
        run:
          steps:
          - lava-test-case helper --result pass
          - "printf 'TAP version 13\\n1..3\\nok 1 - one\\nnot ok 2 - two\\n'"
    - from: inline
      name: junit
      path: inline/junit.yaml
      repository:
        metadata: {format: Lava-Test Test Definition 1.0, name: junit}
        parse: {format: junit, file: "it's results.xml"}
        run:
          steps:
          - echo '<testsuite><testcase name="wrong"/></testsuite>'
          - echo '<testsuite tests="2"><testcase name="a"/><testcase name="b"><skipped/></testcase></testsuite>' >"it's results.xml"
`

// TestFormats runs definitions that name a format.
func TestFormats(t *testing.T) {
	t.Parallel()
	root := images(t)
	src := append(source(t, func(p *params) { p.Steps = `["true"]` }), foreign...)
	res, _ := serve(t, src, plan.Policy{FileRoots: []string{root}})
	var got []results.Case
	for _, c := range res.Cases {
		if c.Suite != results.PipelineSuite {
			got = append(got, c)
		}
	}
	check(t, res, verdict{
		"incomplete", results.ClassTest, "1_tap/two failed",
		"1_tap/helper=pass 1_tap/one=pass 1_tap/two=fail 1_tap/test-3=missing 2_junit/a=pass 2_junit/b=skip",
	})
	for _, c := range got {
		if c.LogLine == nil && c.Result != results.Missing {
			t.Errorf("%s/%s has no line", c.Suite, c.Case)
		}
	}
}

// cutOff is a definition that leaves a file of results, and does not come to its end.
const cutOff = `
- test:
    timeout: {seconds: 20}
    definitions:
    - from: inline
      name: cut
      path: inline/cut.yaml
      repository:
        metadata: {format: Lava-Test Test Definition 1.0, name: cut}
        parse: {format: tap, file: results.tap}
        run:
          steps:
          - "printf 'TAP version 13\\n1..2\\nok 1 - one\\nok 2 - two\\n' >results.tap"
          - `

// TestFormatCutOff reads the file of a definition that a step ends, and reports it missing where nobody can print it.
func TestFormatCutOff(t *testing.T) {
	t.Parallel()
	root := images(t)
	for step, want := range map[string]verdict{
		`"false"`: {
			"fail", results.ClassTest, "a step failed", "0_smoke/uname=pass 1_cut/one=pass 1_cut/two=pass",
		},
		"lava-test-raise enough": {
			"fail", results.ClassTest, "the test raised: enough", "0_smoke/uname=pass 1_cut/one=pass 1_cut/two=pass",
		},
		"rm results.tap; exit 3": {
			"incomplete", results.ClassTest, "status 3", "0_smoke/uname=pass 1_cut/results=missing",
		},
		"sleep 1000": {
			"incomplete", results.ClassTimeout, "timed out after 20s", "0_smoke/uname=pass 1_cut/results=missing",
		},
		"echo b >/proc/sysrq-trigger": {"incomplete", results.ClassTest, "", "0_smoke/uname=pass 1_cut/results=missing"},
	} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			more := cutOff
			if step != "sleep 1000" {
				more = strings.Replace(more, "seconds: 20", "seconds: 120", 1)
			}
			res, _ := serve(t, append(source(t, nil), more+step+"\n"...), plan.Policy{FileRoots: []string{root}})
			check(t, res, want)
		})
	}
}
