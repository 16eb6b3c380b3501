package runner_test

import (
	"testing"

	"github.com/gantry-ci/gantry/jobs"
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
	root := images(t)
	src := append(source(t, func(p *params) { p.Steps = `["true"]` }), foreign...)
	res, _ := serve(t, src, plan.Policy{FileRoots: []string{root}})
	var got []jobs.Case
	for _, c := range res.Cases {
		if c.Suite != jobs.PipelineSuite {
			got = append(got, c)
		}
	}
	check(t, res, verdict{"incomplete", jobs.ClassTest, "1_tap/two failed", "1_tap/helper=pass 1_tap/one=pass 1_tap/two=fail 1_tap/test-3=missing 2_junit/a=pass 2_junit/b=skip"})
	for _, c := range got {
		if c.LogLine == nil && c.Result != jobs.Missing {
			t.Errorf("%s/%s has no line", c.Suite, c.Case)
		}
	}
}
