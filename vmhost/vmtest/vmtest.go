// Package vmtest holds back ends of guests to what package vm promises: one suite for all of them.
package vmtest

import (
	"context"
	"testing"

	"github.com/gantry-ci/gantry/vmhost/kvm"
	"github.com/gantry-ci/gantry/vmhost/vm"
)

// Backend is what the suite needs of a back end.
type Backend struct {
	// New makes the guests of an attempt, of a served job where the back end distinguishes jobs. Each call is like another
	// process: nothing is shared but the host.
	New func(id string, probe func(context.Context) kvm.Result) vm.Guests
	// Spec boots a system that has words on its kernel's command line, prints Up on the console when it takes commands
	// there, and has a shell to execute them: echo, cat, poweroff -f. Its images exist.
	Spec func(words string) vm.Spec
	Up   string
	// Refused are arguments that Check refuses. None of them names a file that exists.
	Refused []string
	// Running says whether the host has a guest of that id.
	Running func(id string) bool
}

// Conformance runs the suite on a back end. The test that calls it is run again in processes of its own, so it does
// nothing else.
func Conformance(t *testing.T, b Backend) {
	t.Helper()
	if id := held(); id != "" {
		hold(t, b, id)
		return
	}
	t.Run("check", func(t *testing.T) { check(t, b) })
	t.Run("names", func(t *testing.T) { names(t, b) })
	t.Run("life", func(t *testing.T) { life(t, b) })
	t.Run("two", func(t *testing.T) { two(t, b) })
	t.Run("elsewhere", func(t *testing.T) { elsewhere(t, b) })
	t.Run("killed", func(t *testing.T) { killed(t, b) })
}

// noKVM is a host without KVM.
func noKVM(context.Context) kvm.Result {
	return kvm.Result{Verdict: kvm.None, Evidence: "the test says so"}
}

// ended is a context that has ended.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// off switches a guest off at the end of a test.
func off(t *testing.T, g vm.Guest) {
	t.Helper()
	t.Cleanup(func() {
		if err := g.Off(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("off: %v", err)
		}
	})
}
