package qemu

import (
	"context"
	"testing"

	"github.com/gantry-ci/gantry/vmhost/kvm"
	"github.com/gantry-ci/gantry/vmhost/vm"
	"github.com/gantry-ci/gantry/vmhost/vmtest"
)

// QEMU is held to what all back ends promise.
func TestConformance(t *testing.T) {
	t.Parallel()
	needQEMU(t)
	kernel, initrd := testKernel(t), testInitrd(t, shellInit)
	vmtest.Conformance(t, vmtest.Backend{
		New: func(id string, probe func(context.Context) kvm.Result) vm.Guests {
			o := testOptions(id)
			o.KVM = probe
			return New(o)
		},
		Spec: func(words string) vm.Spec {
			return vm.Spec{
				Images: map[string]string{"kernel": kernel, "ramdisk": initrd},
				Args: []string{
					`-kernel {kernel} -append "console=ttyS0 panic=-1 mitigations=off cryptomgr.notests quiet ` + words + `"`,
					"-initrd {ramdisk}",
				},
			}
		},
		Up: "guest-is-up",
		Refused: []string{
			"-drive file=/nowhere/disk", "-chardev file,id=x,path=/nowhere/x", "-append 'a", "-m 1T", "-kernel /nowhere/kernel",
		},
		Running: func(id string) bool { return !isGone(t, id) },
	})
}
