package plan

import (
	"errors"
	"os"
	"slices"
)

// Kernel is a kernel that ran, and what is known of its build: a stack is decoded only with symbols of the same one.
type Kernel struct {
	Line    int      // of console.log, from which on the console is its
	Image   *os.File // what it was booted from, also when it is removed; nil when nobody can know
	BuildID string   // in lower-case hex, as the running kernel said; "" when it was not asked
}

// Boots says that from a line of console.log on, 1-based, another kernel prints: the one in the file, or one that
// nobody knows when that is "".
func (r *Run) Boots(line int, image string) {
	k := Kernel{Line: line}
	if r.Symbols && image != "" {
		f, err := os.Open(image)
		if err != nil {
			r.Logf("warning", "open the kernel to learn its build id: %v", err)
		} else {
			k.Image = f
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kernels = append(r.kernels, k)
}

// Identify says which build the kernel is that runs now.
func (r *Run) Identify(buildID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.kernels); n > 0 {
		r.kernels[n-1].BuildID = buildID
	}
}

// KernelAt is the kernel that printed the line of console.log; the zero Kernel when none did.
func (r *Run) KernelAt(line int) Kernel {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range slices.Backward(r.kernels) {
		if k.Line <= line {
			return k
		}
	}
	return Kernel{}
}

// CloseKernels closes the files of the kernels that ran.
func (r *Run) CloseKernels() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, k := range r.kernels {
		if k.Image != nil {
			errs = append(errs, k.Image.Close())
		}
	}
	r.kernels = nil
	return errors.Join(errs...)
}
