package boot

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
)

// Kernel is a kernel that ran, and what is known of its build: a stack is decoded only with symbols of the same build.
type Kernel struct {
	Console string   // the name of the console that it prints to; the first one has none
	Line    int      // of that console's log, from which on the kernel prints
	Image   *os.File // the file that it was booted from, which may be removed meanwhile; nil when it is unknown
	BuildID string   // in lower-case hex, as the running kernel printed it; "" when it was not asked
}

// Kernels are the kernels of an attempt, in the order in which they ran. The methods may be called by several
// goroutines; those of nil do nothing.
type Kernels struct {
	builds bool // the build ids are needed

	mu  sync.Mutex
	all []Kernel
}

// NewKernels makes the list of an attempt's kernels; builds says that stacks will be decoded, for which the kernels'
// build ids are needed.
func NewKernels(builds bool) *Kernels { return &Kernels{builds: builds} }

func (k *Kernels) wanted() bool { return k != nil && k.builds }

// Boot records that from a line of a console's log on, 1-based, another kernel prints: the one in the file image, or an
// unknown one when that is "". An error means that only the build is unknown.
func (k *Kernels) Boot(console string, line int, image string) (err error) {
	n := Kernel{Console: console, Line: line}
	if k.wanted() && image != "" {
		if n.Image, err = os.Open(image); err != nil {
			n.Image, err = nil, fmt.Errorf("open the kernel for its build id: %w", err)
		}
	}
	k.add(n)
	return err
}

// Unknown records that from a line of a console's log on an unknown kernel prints.
func (k *Kernels) Unknown(console string, line int) { k.add(Kernel{Console: console, Line: line}) }

func (k *Kernels) add(n Kernel) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all = append(k.all, n)
}

// Identify records the build id of the kernel that runs now on a console.
func (k *Kernels) Identify(console, buildID string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range slices.Backward(k.all) {
		if k.all[i].Console == console {
			k.all[i].BuildID = buildID
			return
		}
	}
}

// At is the kernel that printed the line of a console's log; the zero Kernel when none did.
func (k *Kernels) At(console string, line int) Kernel {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, n := range slices.Backward(k.all) {
		if n.Console == console && n.Line <= line {
			return n
		}
	}
	return Kernel{}
}

// Close closes the files of the kernels.
func (k *Kernels) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var errs []error
	for _, n := range k.all {
		if n.Image != nil {
			errs = append(errs, n.Image.Close())
		}
	}
	k.all = nil
	return errors.Join(errs...)
}
