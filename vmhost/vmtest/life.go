package vmtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/vmhost/vm"
)

// bootLimit is what a boot under software emulation may take on a busy machine.
const bootLimit = 3 * time.Minute

// id is one of the test's own on this host.
func id(t *testing.T) string {
	return fmt.Sprintf("%s-%d", strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-")), os.Getpid())
}

// life boots a guest, switches it off, and boots it again with another spec, to an end of its own.
func life(t *testing.T, b Backend) {
	g := b.New(id(t), noKVM).Guest("")
	off(t, g)
	console := open(t, g) // before On: nothing is missed
	if err := g.On(t.Context(), b.Spec("gantry.first")); err != nil {
		t.Fatal(err)
	}
	if err := g.On(t.Context(), b.Spec("gantry.first")); !errors.Is(err, vm.ErrOn) {
		t.Errorf("on twice: %v", err)
	}
	if _, err := g.Wait(ended(t)); err == nil {
		t.Error("a guest that runs has ended")
	}
	if _, err := g.OpenResults(t.Context()); !errors.Is(err, vm.ErrNoResults) {
		t.Errorf("results of a guest without a port: %v", err)
	}
	if !b.Running(g.ID()) {
		t.Error("the host has no such guest")
	}
	await(t, console, b.Up)
	say(t, console, "cat /proc/cmdline; echo $((6*7))-answer")
	if said := await(t, console, "42-answer"); !strings.Contains(said, "gantry.first") {
		t.Errorf("booted with %q", said)
	}
	console = reopened(t, g, console)

	if err := errors.Join(g.Off(t.Context()), g.Off(t.Context())); err != nil {
		t.Errorf("off, and off again: %v", err)
	}
	end, err := g.Wait(t.Context())
	if rest, e := io.ReadAll(console); e != nil || err != nil || !end.Stopped || b.Running(g.ID()) {
		t.Errorf("switched off: %+v, %v; the console goes on with %q, %v", end, err, rest, e)
	}
	shut(t, console)
	again(t, b, g)
}

// reopened closes a console and opens it again, which goes on where it was.
func reopened(t *testing.T, g vm.Guest, console io.ReadWriteCloser) io.ReadWriteCloser {
	t.Helper()
	if _, err := g.Open(t.Context()); err == nil {
		t.Error("two readers at a time")
	}
	shut(t, console)
	console = open(t, g)
	say(t, console, "echo again-$((1+1))")
	await(t, console, "again-2")
	return console
}

// again switches a guest on that has been on, with another spec and a results port. It ends by itself.
func again(t *testing.T, b Backend, g vm.Guest) {
	t.Helper()
	s := b.Spec("gantry.second")
	s.Results = true
	if err := g.On(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	results, err := g.OpenResults(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	console := open(t, g) // after On: it has all the same
	all := await(t, console, b.Up)
	say(t, console, "cat /proc/cmdline; poweroff -f")
	rest, err := io.ReadAll(console)
	all += string(rest)
	if err != nil || !strings.Contains(all, "gantry.second") || strings.Contains(all, "gantry.first") {
		t.Errorf("booted with %q, %v", rest, err)
	}
	// Who saw the console end may ask how the guest ended.
	if end, err := g.Wait(ended(t)); err != nil || end.Stopped || end.Signal != "" || end.Status != 0 || end.Reason == "" {
		t.Errorf("shut down by itself: %+v, %v", end, err)
	}
	if _, err := io.Copy(io.Discard, results); err != nil {
		t.Errorf("the results port at the end: %v", err)
	}
	if _, err := console.Write([]byte("x")); !errors.Is(err, vm.ErrOff) {
		t.Errorf("write to a guest that is off: %v", err)
	}
	shut(t, results)
	shut(t, console)
}

// two has two guests of one attempt at the same time.
func two(t *testing.T, b Backend) {
	guests := b.New(id(t), noKVM)
	first, second := guests.Guest(""), guests.Guest("second")
	for _, g := range []vm.Guest{first, second} {
		off(t, g)
		if err := g.On(t.Context(), b.Spec("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := guests.Off(t.Context(), first.ID()); err != nil {
		t.Error(err)
	}
	if end, err := first.Wait(ended(t)); err != nil || !end.Stopped {
		t.Errorf("switched off by its id: %+v, %v", end, err)
	}
	if _, err := second.Wait(ended(t)); err == nil || b.Running(first.ID()) || !b.Running(second.ID()) {
		t.Errorf("the second guest when the first is switched off: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("changed my mind")
	cancel(cause)
	if err := first.On(ctx, b.Spec("x")); err != nil && (!errors.Is(err, cause) || b.Running(first.ID())) {
		t.Errorf("on with an ended context: %v", err)
	}
}

func open(t *testing.T, g vm.Guest) io.ReadWriteCloser {
	t.Helper()
	c, err := g.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func shut(t *testing.T, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func say(t *testing.T, w io.Writer, line string) {
	t.Helper()
	if _, err := io.WriteString(w, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

// await reads up to a text and returns all it read.
func await(t *testing.T, r io.ReadCloser, text string) string {
	t.Helper()
	timer := time.AfterFunc(bootLimit, func() { _ = r.Close() })
	defer timer.Stop()
	var seen []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(seen, []byte(text)) {
		n, err := r.Read(buf)
		seen = append(seen, buf[:n]...)
		if err != nil && !bytes.Contains(seen, []byte(text)) {
			t.Fatalf("waiting for %q: %v; the console says:\n%s", text, err, seen)
		}
	}
	return string(seen)
}
