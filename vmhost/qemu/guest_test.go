package qemu

import (
	"errors"
	"strings"
	"testing"
)

// A guest that QEMU refuses is an ExitError with QEMU's words.
func TestExitError(t *testing.T) {
	needQEMU(t)
	o := testOptions(testID(t))
	o.Trust = Operator
	g := newTestGuest(o)
	if err := g.Args("-device nonsense-device"); err != nil {
		t.Fatal(err)
	}
	err := g.On(t.Context())
	e, ok := errors.AsType[*ExitError](err)
	if !ok || e.Status != 1 || !strings.Contains(e.Error(), "nonsense-device") || e.HostFault() {
		t.Errorf("got %v", err)
	}
	if !isGone(t, o.ID) {
		t.Error("a process is left")
	}
}

func TestNoBinary(t *testing.T) {
	o := testOptions("x")
	o.Machine.Binary = "qemu-system-nothing"
	if err := newTestGuest(o).On(t.Context()); !errors.Is(err, ErrNoBinary) {
		t.Errorf("got %v", err)
	}
}
