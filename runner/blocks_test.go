package runner_test

import (
	"testing"

	"github.com/gantry-ci/gantry/jobs"
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
	root := images(t)
	src := append(source(t, func(p *params) { p.Steps = `["touch /tmp/here", "lava-test-case first --result pass"]` }), more...)
	res, _ := serve(t, src, plan.Policy{FileRoots: []string{root}})
	check(t, res, verdict{"pass", "", "", "0_smoke/first=pass 1_more/same=pass 1_more/same=pass 2_typed/answer=pass 2_again/rebooted=pass 2_last/other=pass"})
}

// TestSecondGuest refuses what would be two guests of one target.
func TestSecondGuest(t *testing.T) {
	root := images(t)
	src := append(source(t, nil), `- deploy: {to: tmpfs, images: {kernel: {url: "file:///vmlinuz", image_arg: "-kernel {kernel}"}}}
- boot: {method: qemu, media: tmpfs, prompts: ['gantry:.*# ']}
`...)
	res, _ := serve(t, src, plan.Policy{FileRoots: []string{root}})
	check(t, res, verdict{"fail", jobs.ClassJob, "a boot after a second deploy is valid, but gantry does not execute it yet", ""})
}
