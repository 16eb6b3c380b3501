package runner_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/plan"
)

// refusals plans a job on a target, as a served job, and returns why it is refused, a line each.
func refusals(t *testing.T, target *dut.Target, src string) []string {
	t.Helper()
	j, report := jobs.ParseJob([]byte(src), schema.Strict)
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	_, err := plan.Make(plan.Options{Job: j, Target: target, Methods: runner.Methods(), RunID: "1"})
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

// inNamespaces is a job of which each boot and each test has a line of its own; the first is line 6.
func inNamespaces(actions ...string) string {
	return "job_name: j\ndevice_type: d\nvisibility: public\ntimeouts: {job: {minutes: 9}}\nactions:\n" +
		strings.Join(actions, "\n") + "\n"
}

// TestResultsLogin has two namespaces of a job run definitions where the device file has results come by ssh: its one
// login leads to one guest.
func TestResultsLogin(t *testing.T) {
	t.Parallel()
	deploy := func(ns string) string {
		return fmt.Sprintf("- deploy: {namespace: %s, to: tmpfs, images: {kernel: {url: http://example.com/k, "+
			"image_arg: '-kernel {kernel}'}, ramdisk: {url: http://example.com/r, image_arg: '-initrd {ramdisk}'}}}", ns)
	}
	boot := func(ns string) string {
		return fmt.Sprintf("- boot: {namespace: %s, method: qemu, media: tmpfs, prompts: ['# ']}", ns)
	}
	test := func(ns string) string {
		return fmt.Sprintf("- test: {%s, definitions: [{from: inline, name: x, path: x.yaml, repository: "+
			"{metadata: {format: Lava-Test Test Definition 1.0, name: x}, run: {steps: ['true']}}}]}", ns)
	}
	device := sshDevice(2222, 22, "/etc/gantry/id", "own_guest: true")
	machine, _, _ := strings.Cut(device, "results:")
	port := machine + "results: virtio-serial\n"
	second := []string{"line 9: boot qemu: the device file's results by ssh are those of one namespace's tests, " +
		`which is "one", and "two" has tests, too; with results: virtio-serial each guest has a port of its own`}
	for name, c := range map[string]struct {
		device  string
		actions []string
		want    []string
	}{
		"two by ssh": {
			device, []string{
				deploy("one"), boot("one"), deploy("two"), boot("two"), test("namespace: one"), test("namespace: two"),
			}, second,
		},
		"two by ssh, one of them from elsewhere": {
			device, []string{
				deploy("one"), boot("one"), deploy("two"), boot("two"), test("namespace: one"),
				test("namespace: one, connection-namespace: two"),
			}, append(slices.Clone(second), `line 11: test definitions: the definitions are in what namespace "one" deploys, `+
				`and the shell is that of namespace "two", which boots what it deploys itself`),
		},
		"two by ssh, one of which tests": {
			device, []string{deploy("one"), boot("one"), deploy("two"), boot("two"), test("namespace: two")}, nil,
		},
		"one by ssh, booted twice": {
			device, []string{deploy("one"), boot("one"), boot("one"), test("namespace: one")}, nil,
		},
		"two by virtio-serial": {
			port, []string{
				deploy("one"), boot("one"), deploy("two"), boot("two"), test("namespace: one"), test("namespace: two"),
			}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, report := jobs.ParseDevice([]byte(c.device))
			if err := report.Err(); err != nil {
				t.Fatal(err)
			}
			target, err := dut.New(d, dut.Options{ID: "x", Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, refusals(t, target, inNamespaces(c.actions...))); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestConsoleOfOneNamespace has a second namespace open a console that another one has open.
func TestConsoleOfOneNamespace(t *testing.T) {
	t.Parallel()
	target := boardOn(t, "/nowhere/outlet")
	open := func(ns, console string) string {
		return fmt.Sprintf("- boot: {namespace: %s, method: new_connection, connection: %s, prompts: ['# ']}", ns, console)
	}
	const again = "- test: {namespace: two, connection-namespace: one, interactive: " +
		"[{name: x, prompts: ['# '], script: [{command: id}]}]}"
	for name, c := range map[string]struct {
		actions []string
		want    []string
	}{
		"a console each":      {[]string{open("one", "uart0"), open("two", "uart1"), open("one", "uart0")}, nil},
		"used from elsewhere": {[]string{open("one", "uart0"), again}, nil},
		"booted by the second": {
			[]string{open("one", "uart0"), "- boot: {namespace: two, method: minimal, prompts: ['# ']}"},
			[]string{`line 7: boot minimal: console "uart0" is open in namespace "one" already; ` +
				"a test of another namespace uses it with connection-namespace: one"},
		},
		"opened by the second": {
			[]string{open("one", "uart0"), open("one", "uart1"), open("two", "uart1")},
			[]string{`line 8: boot new_connection: console "uart1" is open in namespace "one" already; ` +
				"a test of another namespace uses it with connection-namespace: one"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(c.want, refusals(t, target, inNamespaces(c.actions...))); d != "" {
				t.Error(d)
			}
		})
	}
}
