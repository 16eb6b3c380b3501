package qemu

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/vmhost/kvm"
	"github.com/gantry-ci/gantry/vmhost/qemuarg"
	"github.com/gantry-ci/gantry/vmhost/vm"
)

// noTimerCheck keeps a Linux guest from panicking when software emulation on a busy host makes its timer late.
const noTimerCheck = "no_timer_check"

// hostGuest says whether KVM could execute that binary's guests here.
func hostGuest(binary string) bool {
	arch := strings.TrimPrefix(filepath.Base(binary), "qemu-system-")
	switch runtime.GOARCH {
	case "amd64":
		return arch == "x86_64" || arch == "i386" || arch == "kvm" || filepath.Base(binary) == "kvm"
	case "arm64":
		return arch == "aarch64"
	}
	return false
}

// asked is what the options say about acceleration: kvm, tcg or nothing.
func asked(opts []option) string {
	answer := ""
	for _, o := range opts {
		var want string
		switch o.Name {
		case "enable-kvm":
			want = "kvm"
		case "accel":
			want, _ = o.Props().Explicit("accel").Get("accel")
		case "machine", "M":
			want, _ = o.Props().Get("accel")
		}
		switch {
		case strings.Contains(want, "kvm"):
			return "kvm"
		case want != "":
			answer = want
		}
	}
	return answer
}

// decide chooses the accelerator.
func decide(binary string, opts []option, noKVM bool, probe func() kvm.Result) vm.Accel {
	want := asked(opts)
	switch {
	case want != "" && want != "kvm":
		return vm.Accel{Used: "tcg", Why: "the options ask for " + want}
	case noKVM:
		return vm.Accel{Used: "tcg", Why: "KVM is forbidden for this guest"}
	case !hostGuest(binary):
		return vm.Accel{Used: "tcg", Why: filepath.Base(binary) + " guests are not of this host's architecture"}
	}
	switch r := probe(); {
	case !r.Usable():
		return vm.Accel{Used: "tcg", Why: "KVM is not usable here (" + string(r.Verdict) + "): " + r.Evidence}
	default:
		return vm.Accel{Used: "kvm", Why: r.Evidence}
	}
}

// accelerate makes the options say what was decided, and returns what it changed.
func accelerate(binary string, opts []option, a vm.Accel) (out []option, changes []string) {
	change := func(from, to string) {
		if to == "" {
			changes = append(changes, "removed "+from)
		} else {
			changes = append(changes, "changed "+from+" to "+to)
		}
	}
	if a.Used == "kvm" {
		if asked(opts) != "" {
			return opts, nil
		}
		return append(slices.Clip(opts), made("accel", "kvm")), []string{
			"added -accel kvm",
		}
	}
	for _, o := range opts {
		before := o.String()
		switch {
		case o.Name == "enable-kvm":
			change(before, "")
			continue
		case o.Name == "accel":
			if v, _ := o.Props().Explicit("accel").Get("accel"); strings.Contains(v, "kvm") {
				change(before, "")
				continue
			}
		case o.Name == "machine" || o.Name == "M":
			l := withoutKVM(o.Props())
			if len(l) == 0 {
				change(before, "")
				continue
			}
			if o.Value = l.String(); o.String() != before {
				change(before, o.String())
			}
		case o.Name == "cpu" && (o.Value == "host" || strings.HasPrefix(o.Value, "host,")):
			o.Value = "max" + strings.TrimPrefix(o.Value, "host")
			change(before, o.String())
		case o.Name == "append" && x86(binary) && !slices.Contains(strings.Fields(o.Value), noTimerCheck):
			o.Value = withKernelWord(o.Value, noTimerCheck)
			changes = append(changes, "added "+noTimerCheck+" to -append")
		}
		out = append(out, o)
	}
	return out, changes
}

// withoutKVM is a machine's properties less those only KVM has.
func withoutKVM(l qemuarg.Props) qemuarg.Props {
	if v, ok := l.Get("accel"); ok && strings.Contains(v, "kvm") {
		l = l.Without("accel", "kernel_irqchip", "kernel-irqchip")
	}
	for i, p := range l {
		if p.Key == "gic-version" && p.Value == "host" {
			l[i].Value = "max"
		}
	}
	return l
}

func x86(binary string) bool {
	arch := strings.TrimPrefix(filepath.Base(binary), "qemu-system-")
	return arch == "x86_64" || arch == "i386" || arch == "x86_64-microvm"
}

// withKernelWord adds a word to a kernel's command line. What stands behind "--" is for init, not for the kernel.
func withKernelWord(cmdline, word string) string {
	kernel, init, found := strings.Cut(" "+cmdline+" ", " -- ")
	kernel = strings.TrimSpace(strings.TrimSpace(kernel) + " " + word)
	if !found {
		return kernel
	}
	return kernel + " -- " + strings.TrimSpace(init)
}
