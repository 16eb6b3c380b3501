package qemu

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/vmhost/vm"
)

func TestBootAndConsole(t *testing.T) {
	o := testOptions(testID(t))
	g := newGuest(t, o, shellInit)
	start := time.Now()
	if err := g.On(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("On took %v", time.Since(start))
	if err := g.On(t.Context()); !errors.Is(err, vm.ErrOn) {
		t.Errorf("On twice: %v", err)
	}
	c, err := g.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	await(t, c, "guest-is-up")
	t.Logf("up after %v", time.Since(start))
	if _, err := io.WriteString(c, "echo $((6*7))-answer; cat /proc/cmdline\n"); err != nil {
		t.Fatal(err)
	}
	await(t, c, "42-answer")
	await(t, c, noTimerCheck)

	if _, err := g.Open(t.Context()); err == nil {
		t.Error("two readers at a time")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("read of a closed console: %v", err)
	}
	if c, err = g.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "echo again-$((1+1))\n"); err != nil {
		t.Fatal(err)
	}
	await(t, c, "again-2")

	begin := time.Now()
	if err := g.Off(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("Off took %v", time.Since(begin))
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Errorf("console after the end: %v", err)
	}
	if end, err := g.Wait(t.Context()); err != nil || !end.Stopped || end.Status != 0 {
		t.Errorf("end: %+v, %v", end, err)
	}
	if !isGone(t, o.ID) {
		t.Error("a process is left")
	}
	if err := g.Off(t.Context()); err != nil {
		t.Errorf("Off twice: %v", err)
	}
}

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
