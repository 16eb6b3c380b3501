package qemu

import (
	"errors"
	"fmt"
	"strings"
	"sync"

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

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b[max(0, len(b)-tailSize):]...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(strings.ToValidUTF8(string(t.buf), "�"))
}
