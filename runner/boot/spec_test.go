package boot_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/boot"
	"github.com/gantry-ci/gantry/runner/deploy"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/plan"
	"github.com/gantry-ci/gantry/vmhost/kvm"
)

// head is a job's beginning, of nine lines.
const head = `job_name: guests
device_type: qemu
visibility: public
timeouts:
  job: {minutes: 5}
  action: {minutes: 5}
  connection: {minutes: 1}
context: {no_kvm: true}
actions:
`

// deployed is a deploy and a boot of a namespace, a line each.
func deployed(namespace, arg string) string {
	const kernel = `{url: "http://example.com/k", image_arg: '%[2]s'}`
	return fmt.Sprintf(`- deploy: {namespace: %[1]s, to: tmpfs, images: {kernel: `+kernel+`}}
- boot: {namespace: %[1]s, method: qemu, media: tmpfs, prompts: ['# ']}
`, namespace, arg)
}

// planned plans a served job, and returns what is wrong with it, a line each. No plan probes KVM that may not use it.
func planned(t *testing.T, src string) []string {
	t.Helper()
	return plannedOn(t, "", src, dut.Options{})
}

// plannedOn plans a job on a device with options of its own, a list.
func plannedOn(t *testing.T, options, src string, o dut.Options) []string {
	t.Helper()
	j, report := jobs.ParseJob([]byte(src), schema.Strict)
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	d, report := jobs.ParseDevice([]byte(
		"name: q\ntype: qemu\nboot: {qemu: {command: qemu-system-nowhere, options: [" + options + "]}}\n",
	))
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	o.ID, o.KVM = "x", func(context.Context) kvm.Result {
		t.Error("KVM is probed")
		return kvm.Result{}
	}
	target, err := dut.New(d, o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = plan.Make(plan.Options{
		Job: j, Target: target, Methods: slices.Concat(deploy.Methods(), boot.Methods(boot.Options{})), RunID: "1",
		Policy: plan.Policy{Operator: o.Operator},
	})
	if err == nil {
		return nil
	}
	if results.ClassOf(err) != results.ClassJob {
		t.Errorf("the class is %s", results.ClassOf(err))
	}
	return strings.Split(err.Error(), "\n")
}

// Each boot's arguments are checked when the plan is made, at the line of the deploy that has them: those of a second
// deploy, and of a second guest. What is good of them stays.
func TestRefusedArguments(t *testing.T) {
	const good, bad = "-kernel {kernel}", "-kernel {kernel} -chardev file,id=x,path=/x"
	const refusal = `: boot qemu: image_arg of kernel: image_arg "` + bad + `": -chardev is not allowed in a served job`
	for _, c := range []struct {
		src  string
		want []string
	}{
		{deployed("one", good) + deployed("one", good) + deployed("two", good), nil},
		{
			deployed("one", good) + deployed("one", bad) + deployed("two", bad),
			[]string{"line 12" + refusal, "line 14" + refusal},
		},
		{deployed("one", "-kernel {kernel} -m 4096") + deployed("two", "-kernel {kernel} -m 4097"), []string{
			`line 12: boot qemu: image_arg of kernel: image_arg "-kernel {kernel} -m 4097": -m 4097: ` +
				`a served job may have at most 4096 MiB of memory`,
		}},
	} {
		if d := cmp.Diff(c.want, planned(t, head+c.src)); d != "" {
			t.Error(d)
		}
	}
}

// A boot without a deploy before it in its namespace is refused, and that one time.
func TestNothingDeployed(t *testing.T) {
	const boot = "- boot: {namespace: one, method: qemu, media: tmpfs, prompts: ['# ']}\n"
	want := []string{`line 10: boot qemu: needs images, which no earlier action of namespace "one" provides`}
	if d := cmp.Diff(want, planned(t, head+boot)); d != "" {
		t.Error(d)
	}
}

// A served job boots a handful of guests: each may have as much memory as the lab gives one.
func TestManyGuests(t *testing.T) {
	src := head
	for i := range 5 {
		if got := planned(t, src+deployed("ok", "-m 64")); i < 4 && got != nil {
			t.Errorf("%d guests: %q", i+1, got)
		}
		src += deployed(fmt.Sprintf("n%d", i), "-m 64")
	}
	got := planned(t, src)
	if len(got) != 5 || !strings.Contains(got[0], "boots guests in 5 namespaces; a served job may in 4") {
		t.Errorf("5 guests: %q", got)
	}
}

// What the guests of a served job take is bounded in sum, whoever says how much: the job, its device file, or QEMU. A
// second boot of a namespace replaces its guest.
func TestGuestsTogether(t *testing.T) {
	const most = "those of a served job may have at most"
	memory := func(line, guests, mib int) []string {
		return []string{fmt.Sprintf(
			"line %d: boot qemu: the job's %d guests have %d MiB of memory together; %s 4096", line, guests, mib, most,
		)}
	}
	const five = "line 13: boot qemu: the job's 2 guests have 5 processors together; " + most + " 4"
	two := func(one, other string) string { return deployed("one", one) + deployed("two", other) }
	for name, c := range map[string]struct {
		device, src string
		want        []string
	}{
		"two of half a GiB":                     {"", two("-m 512", "-m 512M"), nil},
		"all of it":                             {"", two("-m 3G", "-m 1024"), nil},
		"a MiB more":                            {"", two("-m 3G", "-m 1025"), memory(13, 2, 4097)},
		"QEMU's default":                        {"", two("-m 3969", "-snapshot"), memory(13, 2, 4097)},
		"the default, in time":                  {"", two("-m 3968", "-snapshot"), nil},
		"the device file's":                     {"-m 2049", two("-snapshot", "-snapshot"), memory(13, 2, 4098)},
		"the job has the last word":             {"-m 2049", two("-m 64", "-m 64"), nil},
		"one, as large as the device file says": {"'-m 64G', '-smp 32'", deployed("one", "-snapshot"), nil},
		"processors":                            {"", two("-smp 4", "-snapshot"), []string{five}},
		"the device file's processors": {
			"'-smp 2,sockets=2'", two("-snapshot", "-smp 3"), []string{five},
		},
		"a reboot with less": {"", deployed("one", "-m 4096") + two("-m 64", "-m 4032"), nil},
		"a reboot with more": {
			"", two("-m 64", "-m 4032") + deployed("one", "-m 65"), memory(15, 2, 4097),
		},
		"a third": {
			"", two("-m 2G", "-m 1G") + deployed("three", "-m 1025"), memory(15, 3, 4097),
		},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, plannedOn(t, c.device, head+c.src, dut.Options{})); d != "" {
				t.Error(d)
			}
		})
	}
	if got := plannedOn(t, "", head+two("-m 64G", "-m 64G"), dut.Options{Operator: true}); got != nil {
		t.Errorf("the operator's own job: %q", got)
	}
}
