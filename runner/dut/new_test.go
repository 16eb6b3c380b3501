package dut_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/runner/plan"
	"github.com/gantry-ci/gantry/test/guest"
	"github.com/gantry-ci/gantry/vmhost/kvm"
	"github.com/gantry-ci/gantry/vmhost/vm"
	"github.com/gantry-ci/gantry/vmhost/vmtest"
)

// files are what guests of these tests boot.
func files(t *testing.T) guest.Files {
	t.Helper()
	dir := guest.Images(t)
	return guest.Files{Kernel: filepath.Join(dir, "vmlinuz"), Ramdisk: filepath.Join(dir, "ramdisk.cpio.gz")}
}

// A back end of one file conforms.
func TestScratchConformance(t *testing.T) {
	t.Parallel()
	f := files(t)
	vmtest.Conformance(t, vmtest.Backend{
		New: func(id string, _ func(context.Context) kvm.Result) vm.Guests { return newScratch(id) },
		Spec: func(words string) vm.Spec {
			return vm.Spec{
				Images: map[string]string{"kernel": f.Kernel, "ramdisk": f.Ramdisk},
				Args:   []string{`-kernel {kernel} -append "console=ttyS0 quiet rdinit=/init ` + words + `"`, "-initrd {ramdisk}"},
			}
		},
		Up: "gantry:/root# ",
		Refused: []string{
			"-drive file=/nowhere/disk", "-chardev file,id=x,path=/nowhere/x", "-append 'a", "-m 1T", "-kernel /nowhere/kernel",
		},
		Running: func(id string) bool { return len(scratchPIDs(id)) > 0 },
	})
}

func device(t *testing.T, src string) *jobs.Device {
	t.Helper()
	d, report := jobs.ParseDevice([]byte(src))
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	return d
}

const scratchDevice = `name: scratch-1
type: scratch
boot: {qemu: {command: qemu-system-x86_64}}
`

// A job as it is runs on a back end that nothing knows but a row in the table; what the back end has no word for is
// refused at the job's line, before anything starts.
func TestScratchRun(t *testing.T) {
	t.Parallel()
	f := files(t)
	for extra, want := range map[string]string{
		"": "", "-device virtio-rng -rtc base=utc": "line 9: boot qemu: image_arg of kernel: ",
	} {
		src := strings.NewReplacer("KERNEL", f.Kernel, "RAMDISK", f.Ramdisk, "EXTRA", extra).Replace(`job_name: scratch
device_type: scratch
visibility: public
timeouts: {job: {minutes: 5}}
actions:
- deploy:
    to: tmpfs
    images:
      kernel: {url: "file://KERNEL", image_arg: '-kernel {kernel} -append "console=ttyS0 rdinit=/init" EXTRA'}
      ramdisk: {url: "file://RAMDISK", image_arg: "-initrd {ramdisk}"}
- boot: {method: qemu, media: tmpfs, prompts: ['gantry:.*# ']}
- test:
    interactive:
    - name: typed
      prompts: ['gantry:.*# ']
      script: [{command: "echo a''1", name: answer, successes: [{message: a1}]}]
`)
		j, report := jobs.ParseJob([]byte(src), schema.Strict)
		if err := report.Err(); err != nil {
			t.Fatal(err)
		}
		target, err := dut.New(device(t, scratchDevice), dut.Options{ID: "scratch-run", Makers: []dut.Maker{scratchMaker()}})
		if err != nil {
			t.Fatal(err)
		}
		res, err := runner.Run(t.Context(), runner.Options{
			ID: "7", Attempt: 1, Job: j, Target: target, Dir: t.TempDir(),
			Policy: plan.Policy{FileRoots: []string{filepath.Dir(f.Kernel)}},
			Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		if (want == "") != (res.Verdict.Verdict == results.Pass) || !strings.Contains(res.Message, want) {
			t.Errorf("%q: %+v", extra, res.Verdict)
		}
		if len(scratchPIDs("scratch-run")) > 0 {
			t.Error("the guest is left")
		}
	}
}

// boardDevice is a board's, as LAVA renders it.
const boardDevice = `hostname: board-1
devicetype: board
commands: {power_on: /nowhere/on, power_off: /nowhere/off}
constants: {}
parameters: {}
actions: {deploy: {methods: {}}, boot: {methods: {}, connections: {}}}
timeouts: {actions: {}, connections: {}}
`

// The first maker that takes a device file makes its target; when none does, the error says what there could be.
func TestNew(t *testing.T) {
	probed := func(context.Context) kvm.Result {
		t.Error("making a target probes KVM")
		return kvm.Result{}
	}
	for src, want := range map[string]string{
		"name: a\ntype: t\nboot: {qemu: {command: qemu-system-nowhere}}\n": "guests",
		boardDevice:          "power",
		"name: a\ntype: t\n": "a QEMU guest (boot method qemu), or a board (LAVA's device file, with commands: ",
		strings.Replace(boardDevice, "power_off: /nowhere/off", "connect: telnet x", 1):        "neither",
		strings.Replace(boardDevice, "power_on: /nowhere/on", "hard_reset: /nowhere/reset", 1): "power",
	} {
		var got string
		target, err := dut.New(device(t, src), dut.Options{ID: "x", KVM: probed})
		switch {
		case err != nil:
			if got = err.Error(); results.ClassOf(err) != results.ClassInfrastructure {
				t.Errorf("%s: class %s", src, results.ClassOf(err))
			}
		case target.Guests != nil:
			got = "guests"
		case target.Power != nil:
			got = "power"
		default:
			got = "neither"
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %s, %v", src, got, err)
		}
	}
}

// Two makers that take back the same kind are a bug, and no target is made.
func TestUndoersOfTwo(t *testing.T) {
	_, err := dut.New(device(t, scratchDevice), dut.Options{ID: "x", Makers: []dut.Maker{scratchMaker(), scratchMaker()}})
	if err == nil || !strings.Contains(err.Error(), "there are two for scratch-guest") {
		t.Errorf("got %v", err)
	}
}

// What this process has switched on is taken back in order: the guest was not lost.
func TestUndoLive(t *testing.T) {
	f := files(t)
	target, err := dut.New(device(t, scratchDevice), dut.Options{ID: "undo-live", Makers: []dut.Maker{scratchMaker()}})
	if err != nil {
		t.Fatal(err)
	}
	g := target.Guests.Guest("")
	for range 2 {
		if err := g.Machine.On(t.Context(), dut.Spec{
			Images: map[string]string{"kernel": f.Kernel}, Args: []string{"-kernel {kernel}"},
		}); err != nil {
			t.Fatal(err)
		}
		if err := target.Undoers[g.Undo.Kind](t.Context(), g.Undo.Arg); err != nil || g.Machine.Exit() != nil {
			t.Errorf("taken back: %v, ended by itself: %v", err, g.Machine.Exit())
		}
	}
}

// The journal has the guest's id, whatever the target is called, and so any process takes it back.
func TestUndoGuest(t *testing.T) {
	guests := newScratch("undo-me")
	target, err := dut.New(device(t, scratchDevice), dut.Options{ID: "undo-me", Makers: []dut.Maker{scratchMaker()}})
	if err != nil {
		t.Fatal(err)
	}
	want := journal.Undo{Kind: "scratch-guest", Arg: guests.Guest("second").ID()}
	if got := target.Guests.Guest("second").Undo; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	undoers, err := dut.Undoers(dut.Options{ID: "undo-me", Makers: []dut.Maker{scratchMaker()}})
	if err != nil || undoers[want.Kind](t.Context(), want.Arg) != nil {
		t.Errorf("%v, %v", undoers, err)
	}
}
