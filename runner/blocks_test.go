package runner_test

import (
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/plan"
)

// more are blocks after the first one: in the same boot, typed at its prompt, and in another boot.
const more = `
- test:
    repeat: 2
    definitions:
    - from: inline
      name: more
      path: inline/more.yaml
      repository:
        metadata: {format: Lava-Test Test Definition 1.0, name: more}
        run: {steps: [lava-test-case same --shell test -e /tmp/here]}
- test:
    interactive:
    - name: typed
      prompts: ['gantry:.*# ']
      script: [{command: "echo a''1", name: answer, successes: [{message: a1}]}]
- boot: {method: qemu, media: tmpfs, prompts: ['gantry:.*# ']}
- test:
    interactive:
    - name: again
      prompts: ['gantry:.*# ']
      script: [{command: "ls /tmp", name: rebooted, failures: [{message: here}]}]
- test:
    definitions:
    - from: inline
      name: last
      path: inline/last.yaml
      repository:
        metadata: {format: Lava-Test Test Definition 1.0, name: last}
        run: {steps: [lava-test-case other --shell test ! -e /tmp/here]}
`

// TestBlocks runs several blocks of tests, in one boot and after a reboot.
func TestBlocks(t *testing.T) {
	t.Parallel()
	root := images(t)
	src := append(source(t, func(p *params) {
		p.Steps = `["touch /tmp/here", "lava-test-case first --result pass"]`
	}), more...)
	res, _ := serve(t, src, plan.Policy{FileRoots: []string{root}})
	check(t, res, verdict{
		"pass", "", "",
		"0_smoke/first=pass 1_more/same=pass 1_more/same=pass 2_typed/answer=pass 2_again/rebooted=pass 2_last/other=pass",
	})
}

// next is a block of which a case is expected.
const next = `
- test:
    definitions:
    - from: inline
      name: next
      path: inline/next.yaml
      expected: [there]
      repository:
        metadata: {format: Lava-Test Test Definition 1.0, name: next}
        run: {steps: [lava-test-case there --shell true]}
`

// TestBlocksAfterTrouble has the first block end in the ways that LAVA goes on after, and in those that end a job: what
// does not run is missing. A shell that is still at work is brought back.
func TestBlocksAfterTrouble(t *testing.T) {
	t.Parallel()
	root := images(t)
	for name, c := range map[string]struct {
		steps    string
		skip     string // a change of the first block's timeout
		complete bool
		want     verdict
	}{
		"a step fails": {
			`["lava-test-case first --result pass", "false"]`, "", true,
			verdict{
				"fail", results.ClassTest, "0_smoke: a step failed with status 1 and ended the run",
				"0_smoke/first=pass 1_next/there=pass",
			},
		},
		"a raise": {
			`["lava-test-case first --result pass", "lava-test-raise gone"]`, "", false,
			verdict{"incomplete", results.ClassTest, "the test raised: gone", "0_smoke/first=pass 1_next/there=missing"},
		},
		"a skipped timeout": {
			`["lava-test-case first --result pass", "sleep 1000"]`, "timeout: {seconds: 30, skip: true}", false,
			verdict{
				"incomplete", results.ClassTimeout, "lava-test-retry timed out after 30s (0_smoke did not end)",
				"0_smoke/first=pass 1_next/there=pass",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := string(append(source(t, func(p *params) { p.Steps = c.steps }), next...))
			if c.skip != "" {
				src = strings.Replace(src, "timeout: {seconds: 120}", c.skip, 1)
			}
			res, _ := serve(t, []byte(src), plan.Policy{FileRoots: []string{root}})
			check(t, res, c.want)
			if res.Complete != c.complete {
				t.Errorf("complete: %t", res.Complete)
			}
		})
	}
}
