package qemu

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gantry-ci/gantry/vmhost/vm"
)

// ErrNoBinary is a QEMU that is not installed.
var ErrNoBinary = errors.New("QEMU is not installed")

// ExitError is a QEMU that ended instead of starting a guest.
type ExitError struct {
	Binary string
	vm.End
}

func (e *ExitError) Error() string {
	s := fmt.Sprintf("%s exited with status %d", e.Binary, e.Status)
	if e.Signal != "" {
		s = fmt.Sprintf("%s was killed by signal %s", e.Binary, e.Signal)
	}
	if e.Stderr != "" {
		s += ": " + e.Stderr
	}
	return s
}

// HostFault reports whether the host, rather than the job's arguments or images, made QEMU fail.
func (e *ExitError) HostFault() bool {
	for _, s := range []string{
		"allocate memory", "No space left", "Too many open files", "access KVM", "Resource temporarily unavailable",
		"seccomp", "-sandbox", "Could not set up host forwarding rule",
	} {
		if strings.Contains(e.Stderr, s) {
			return true
		}
	}
	return e.Signal != ""
}

// tailSize is how much of what QEMU printed is in an error.
const tailSize = 4 << 10
