package runner_test

import (
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/plan"
)

// alone are the calls of multinode jobs that a group of one can answer.
const alone = `
          - "lava-test-case self --shell test \"$(lava-self)\" = guest-1"
          - lava-test-case sync --shell lava-sync ready
          - lava-send data a=1 b=two
          - "lava-test-case wait --shell 'lava-wait data; cut -d= -f2 /tmp/lava_multi_node_cache.txt | grep -qx two'"
          - "lava-test-case wait-all --shell 'lava-wait-all data; grep -qx guest-1:a=1 /tmp/lava_multi_node_cache.txt'"
          - (sleep 1; lava-send late) &
          - lava-test-case late --shell lava-wait late
          - lava-test-feedback --namespace common
          - lava-network broadcast
          - lava-network collect
          - "lava-test-case query --shell 'test \"$(lava-network query $(lava-self) hostname)\" = \"$(uname -n)\"'"
`

// steps is a job's last block of tests.
func steps(list string) string {
	return `- test:
    timeout: {seconds: 60}
    definitions:
    - from: inline
      name: group
      path: inline/group.yaml
      repository:
        metadata: {format: Lava-Test Test Definition 1.0, name: group}
        run:
          steps:` + list
}

// TestGroup answers a test that calls the group of which its target is the only one.
func TestGroup(t *testing.T) {
	t.Parallel()
	root := images(t)
	const passed = "0_smoke/uname=pass 1_group/self=pass 1_group/sync=pass 1_group/wait=pass 1_group/wait-all=pass " +
		"1_group/late=pass 1_group/query=pass"
	for name, c := range map[string]struct {
		more string
		want verdict
	}{
		"answered": {"", verdict{"pass", "", "", passed}},
		"a message that nobody sends": {
			"          - lava-wait never\n",
			verdict{"fail", results.ClassJob, "lava-wait never: nobody sends the message", passed},
		},
		"a role that nobody has": {
			"          - lava-send x\n          - lava-wait-all x server\n",
			verdict{"fail", results.ClassJob, `nobody has the role "server"`, passed},
		},
		"a namespace without a console": {
			"          - lava-test-feedback --namespace other\n",
			verdict{"fail", results.ClassJob, "no action of the job has a console there", passed},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, _ := serve(t, append(source(t, nil), steps(alone+c.more)...), plan.Policy{FileRoots: []string{root}})
			check(t, res, c.want)
		})
	}
}

// TestGroupTyped has typed commands wait for what a test has sent.
func TestGroupTyped(t *testing.T) {
	t.Parallel()
	root := images(t)
	const typed = `- test:
    interactive:
    - name: typed
      prompts: ['gantry:.*# ']
      script:
      - {command: "echo a''1", name: sent, lava-wait-all: data, successes: [{message: a1}]}
      - {command: "echo b''2", name: more, lava-send: more x=y, lava-sync: all, successes: [{message: b2}]}
`
	src := append(source(t, func(p *params) { p.Steps = `["lava-send data"]` }), typed...)
	res, _ := serve(t, src, plan.Policy{FileRoots: []string{root}})
	check(t, res, verdict{"pass", "", "", "1_typed/sent=pass 1_typed/more=pass"})
	src = append(src, `      - {command: "true", name: unsent, lava-wait: nothing}
`...)
	res, _ = serve(t, src, plan.Policy{FileRoots: []string{root}})
	check(t, res, verdict{
		"fail", results.ClassJob, "lava-wait nothing: nobody sends the message",
		"1_typed/sent=pass 1_typed/more=pass 1_typed/unsent=missing",
	})
}

// TestMultinode runs a multinode job that has one target, and refuses one that has more.
func TestMultinode(t *testing.T) {
	t.Parallel()
	root := images(t)
	for count, want := range map[string]verdict{
		"1": {"pass", "", "", "0_smoke/role=pass 0_smoke/group=pass"},
		"2": {"fail", results.ClassJob, "the job is for 2 targets", ""},
	} {
		src := string(source(t, func(p *params) {
			p.Steps = `["lava-test-case role --shell test $(lava-role) = server", ` +
				`"lava-test-case group --shell lava-group server"]`
		}))
		src = strings.NewReplacer(
			"device_type: qemu\n",
			"protocols: {lava-multinode: {roles: {server: {device_type: qemu, count: "+count+"}}, timeout: {seconds: 60}}}\n",
			"- deploy:\n", "- deploy:\n    role: [server]\n", "- boot: {", "- boot: {role: [server], ", "- test:\n",
			"- test:\n    role: [server]\n",
		).Replace(src)
		t.Run(count, func(t *testing.T) {
			t.Parallel()
			res, _ := serve(t, []byte(src), plan.Policy{FileRoots: []string{root}})
			check(t, res, want)
		})
	}
}
