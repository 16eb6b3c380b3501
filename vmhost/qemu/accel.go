package qemu

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/vmhost/kvm"
)

// Accel says how a guest is executed, and why so.
type Accel struct {
	Used string `json:"used"` // kvm or tcg
	Why  string `json:"why"`
}

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
		switch o.name {
		case "enable-kvm":
			want = "kvm"
		case "accel":
			want, _ = parseProps(o.value).explicit("accel").get("accel")
		case "machine", "M":
			want, _ = parseProps(o.value).get("accel")
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
func decide(binary string, opts []option, noKVM bool, probe func() kvm.Result) Accel {
	want := asked(opts)
	switch {
	case want != "" && want != "kvm":
		return Accel{"tcg", "the options ask for " + want}
	case noKVM:
		return Accel{"tcg", "KVM is forbidden for this guest"}
	case !hostGuest(binary):
		return Accel{"tcg", filepath.Base(binary) + " guests are not of this host's architecture"}
	}
	switch r := probe(); {
	case !r.Usable():
		return Accel{"tcg", "KVM is not usable here (" + string(r.Verdict) + "): " + r.Evidence}
	default:
		return Accel{"kvm", r.Evidence}
	}
}

// accelerate makes the options say what was decided, and returns what it changed.
func accelerate(binary string, opts []option, a Accel) (out []option, changes []string) {
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
		return append(slices.Clip(opts), option{name: "accel", value: "kvm", has: true, from: fromDevice}), []string{
			"added -accel kvm",
		}
	}
	for _, o := range opts {
		before := o.String()
		switch {
		case o.name == "enable-kvm":
			change(before, "")
			continue
		case o.name == "accel":
			if v, _ := parseProps(o.value).explicit("accel").get("accel"); strings.Contains(v, "kvm") {
				change(before, "")
				continue
			}
		case o.name == "machine" || o.name == "M":
			l := withoutKVM(parseProps(o.value))
			if len(l) == 0 {
				change(before, "")
				continue
			}
			if o.value = l.String(); o.String() != before {
				change(before, o.String())
			}
		case o.name == "cpu" && (o.value == "host" || strings.HasPrefix(o.value, "host,")):
			o.value = "max" + strings.TrimPrefix(o.value, "host")
			change(before, o.String())
		case o.name == "append" && x86(binary) && !slices.Contains(strings.Fields(o.value), noTimerCheck):
			o.value = withKernelWord(o.value, noTimerCheck)
			changes = append(changes, "added "+noTimerCheck+" to -append")
		}
		out = append(out, o)
	}
	return out, changes
}

// withoutKVM is a machine's properties less those only KVM has.
func withoutKVM(l props) props {
	if v, ok := l.get("accel"); ok && strings.Contains(v, "kvm") {
		l = l.without("accel", "kernel_irqchip", "kernel-irqchip")
	}
	for i, p := range l {
		if p.key == "gic-version" && p.value == "host" {
			l[i].value = "max"
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
