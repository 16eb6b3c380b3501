package qemu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// Every byte the guest prints arrives, once and in order, also while nobody reads for a while.
func TestConsoleBytes(t *testing.T) {
	t.Parallel()
	const lines = 40_000
	g := newGuest(t, testOptions(testID(t)), shellInit)
	if err := g.On(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := g.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	await(t, c, "guest-is-up")
	if _, err := io.WriteString(c, "cat /proc/cmdline\n"); err != nil {
		t.Fatal(err)
	}
	await(t, c, noTimerCheck)
	if _, err := fmt.Fprintf(
		c, "stty raw; echo 1 >/proc/sys/kernel/printk; echo; echo begin; seq 1 %d; echo finish\n", lines,
	); err != nil {
		t.Fatal(err)
	}
	await(t, c, "begin")
	if err := c.Close(); err != nil { // nobody reads: the guest waits, nothing is lost
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("read of a closed console: %v", err)
	}
	if c, err = g.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := await(t, c, "finish")
	var want bytes.Buffer
	for i := 1; i <= lines; i++ {
		fmt.Fprintln(&want, i)
	}
	got, _, _ = strings.Cut(got, "finish")
	if want, got = trimmed(want, got); got != want.String() {
		t.Errorf("%d bytes differ from %d expected", len(got), want.Len())
	}
}

// trimmed drops what await may have read of the first lines together with "begin".
func trimmed(want bytes.Buffer, got string) (bytes.Buffer, string) {
	if missing := want.Len() - len(strings.TrimLeft(got, "\n")); missing > 0 && missing < 8192 {
		want.Next(missing)
	}
	return want, strings.TrimLeft(got, "\n")
}

// The two ends of a stream, without a guest.
func TestStream(t *testing.T) {
	s, err := newStream()
	if err != nil {
		t.Fatal(err)
	}
	guest := s.handOver()
	c, err := s.open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.open(); !errors.Is(err, errOpen) {
		t.Errorf("a second reader: %v", err)
	}
	closed := make(chan error)
	go func() {
		_, err := c.Read(make([]byte, 1))
		closed <- err
	}()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-closed; !errors.Is(err, os.ErrClosed) {
		t.Errorf("a read that was closed: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if _, err := io.WriteString(guest, "last words"); err != nil {
		t.Fatal(err)
	}
	if c, err = s.open(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "never read"); err != nil {
		t.Fatal(err)
	}
	guest.Close() // with unread input: a reset for the other end
	s.ended()
	if b, err := io.ReadAll(c); string(b) != "last words" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if _, err := s.host.Read(nil); err == nil {
		t.Error("the socket is left open")
	}
}

// A guest that was opened and never switched on leaves nothing behind.
func TestOpenWithoutOn(t *testing.T) {
	g := newTestGuest(testOptions("never-on"))
	c, err := g.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Open(t.Context()); !errors.Is(err, errOpen) {
		t.Errorf("a second reader: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := g.Off(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}
