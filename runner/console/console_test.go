package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/results"
)

// open returns a console, the far end of its stream, and its record.
func open(t *testing.T) (*Console, net.Conn, *os.File) {
	t.Helper()
	near, far := net.Pipe()
	c, f := record1(t, near)
	t.Cleanup(func() { _ = far.Close() })
	return c, far, f
}

func record1(t *testing.T, rw io.ReadWriteCloser) (*Console, *os.File) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(t.TempDir(), "console.log"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(rw, f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		_ = f.Close()
	})
	return c, f
}

func compileT(t testing.TB, patterns ...string) *Patterns {
	t.Helper()
	p, err := Compile(patterns...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func session(t *testing.T, c *Console) *Session {
	t.Helper()
	s, err := c.Session(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func say(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}

func TestDialogue(t *testing.T) {
	c, far, f := open(t)
	s := session(t, c)
	say(t, far, "boot\r\n\x1b[1;32mgantry\x1b[0m log")
	say(t, far, "in: ")
	m, err := s.Expect(t.Context(), compileT(t, "nothing", `(?P<host>\w+) login: $`))
	if err != nil {
		t.Fatal(err)
	}
	if m.Index != 1 || m.Text != "gantry login: " || m.Before != "boot\n" || m.Line != 2 || m.Named["host"] != "gantry" {
		t.Errorf("match %+v", m)
	}
	if m.Start != 13 || m.End != c.Size() || s.Offset() != m.End {
		t.Errorf("match from %d to %d of %d, going on at %d", m.Start, m.End, c.Size(), s.Offset())
	}
	go func() {
		line := make([]byte, 5)
		_, _ = io.ReadFull(far, line)
		_, _ = far.Write(append(line, "Password: "...))
	}()
	if err := s.SendLine(t.Context(), "root"); err != nil {
		t.Fatal(err)
	}
	if m, err := s.Expect(t.Context(), compileT(t, "Password: ")); err != nil || m.Before != "root\n" {
		t.Errorf("match %+v, error %v", m, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	want := "boot\r\n\x1b[1;32mgantry\x1b[0m login: root\nPassword: "
	if got, err := os.ReadFile(f.Name()); err != nil || string(got) != want {
		t.Errorf("record %q, error %v", got, err)
	}
}

func TestEndOfStream(t *testing.T) {
	c, far, _ := open(t)
	s := session(t, c)
	say(t, far, "last words")
	_ = far.Close()
	cur := c.From(0)
	if b, err := cur.Next(t.Context()); err != nil || string(b) != "last words" {
		t.Fatalf("got %q, error %v", b, err)
	}
	_, err := cur.Next(t.Context())
	if results.ClassOf(err) != results.ClassInfrastructure || !errors.Is(err, io.EOF) {
		t.Errorf("cursor's error %v", err)
	}
	if _, err := s.Expect(t.Context(), compileT(t, "more")); results.ClassOf(err) != results.ClassInfrastructure {
		t.Errorf("session's error %v", err)
	}
	<-c.Ended()
	if results.ClassOf(c.Err()) != results.ClassInfrastructure {
		t.Errorf("console's error %v", c.Err())
	}
}

// TestLate has a reader's time end while bytes wait and more keep coming.
func TestLate(t *testing.T) {
	c, far, _ := open(t)
	total := int64(0)
	sent := func(text string) {
		say(t, far, text)
		total += int64(len(text))
		if _, err := c.From(total - 1).Next(t.Context()); err != nil { // it is in the record
			t.Fatal(err)
		}
	}
	sent("in time")
	cur := c.From(0)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("out of time")
	cancel(why)
	if b, err := cur.Next(ctx); err != nil || string(b) != "in time" {
		t.Errorf("got %q, error %v", b, err)
	}
	sent("too late")
	if b, err := cur.Next(ctx); !errors.Is(err, why) || len(b) > 0 {
		t.Errorf("got %q, error %v", b, err)
	}
	if b, err := cur.Next(t.Context()); err != nil || string(b) != "too late" {
		t.Errorf("got %q, error %v", b, err)
	}
	sent(strings.Repeat("x", 3*lateSize))
	got := 0
	for {
		b, err := cur.Next(ctx)
		if got += len(b); err != nil {
			break
		}
	}
	if got < lateSize || got > lateSize+cursorBuffer {
		t.Errorf("%d bytes of a flood", got)
	}
}

func TestCause(t *testing.T) {
	c, _, _ := open(t)
	s := session(t, c)
	cause := errors.New("boot timed out")
	ctx, cancel := context.WithCancelCause(t.Context())
	go cancel(cause)
	if _, err := s.Expect(ctx, compileT(t, "x")); !errors.Is(err, cause) {
		t.Errorf("expect: %v", err)
	}
	if _, err := c.From(0).Next(ctx); !errors.Is(err, cause) {
		t.Errorf("next: %v", err)
	}
	if _, err := c.Session(ctx, 0); !errors.Is(err, cause) {
		t.Errorf("session while another has the right to write: %v", err)
	}
	if err := s.Send(ctx, "x"); !errors.Is(err, cause) {
		t.Errorf("send: %v", err)
	}
}

// TestBlockedWrite sends to a stream that nobody reads.
func TestBlockedWrite(t *testing.T) {
	c, far, _ := open(t)
	s := session(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Send(ctx, "lost"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("send: %v", err)
	}
	got := make(chan []byte)
	go func() {
		b := make([]byte, 4)
		_, _ = io.ReadFull(far, b)
		got <- b
	}()
	if err := s.Send(t.Context(), "sent"); err != nil {
		t.Fatal(err)
	}
	if b := <-got; !bytes.Equal(b, []byte("sent")) {
		t.Errorf("far end got %q", b)
	}
}
