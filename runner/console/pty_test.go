package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gantry-ci/gantry/results"
)

// pty opens a pseudo terminal in raw mode.
func pty(t testing.TB) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	t.Cleanup(func() { _ = master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // Fd made it block
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = slave.Close() })
	raw, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	raw.Iflag &^= unix.ICRNL | unix.IXON | unix.INLCR | unix.IGNCR
	raw.Oflag &^= unix.OPOST
	raw.Lflag &^= unix.ECHO | unix.ICANON | unix.ISIG | unix.IEXTEN
	if err := unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, raw); err != nil {
		t.Fatal(err)
	}
	return master, slave
}

// TestShell talks to a real shell on a pseudo terminal.
func TestShell(t *testing.T) {
	master, slave := pty(t)
	c, f := record1(t, master)
	s := session(t, c)
	sh := exec.CommandContext(t.Context(), "/bin/sh", "-i")
	sh.Stdin, sh.Stdout, sh.Stderr = slave, slave, slave
	sh.Env = []string{"PS1=sh-prompt# ", "PATH=/usr/bin:/bin"}
	sh.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	if err := sh.Start(); err != nil {
		t.Fatal(err)
	}
	_ = slave.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	prompt := compileT(t, `sh-prompt# $`)
	if _, err := s.Expect(ctx, prompt); err != nil {
		t.Fatal(err)
	}
	s.CharDelay = time.Millisecond
	if err := s.SendLine(ctx, `printf 'a\033[1mb\033[0m\r\n'; expr 6 \* 7`); err != nil {
		t.Fatal(err)
	}
	m, err := s.Expect(ctx, prompt)
	if err != nil || m.Before != "ab\n42\n" {
		t.Errorf("the shell said %q, error %v", m.Before, err)
	}
	if err := s.SendLine(ctx, "exit"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Expect(ctx, prompt); results.ClassOf(err) != results.ClassInfrastructure {
		t.Errorf("after the end: %v", err)
	}
	_ = sh.Wait()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(f.Name()); err != nil || !bytes.Contains(b, []byte("a\x1b[1mb\x1b[0m\r\n")) {
		t.Errorf("record %q, error %v", b, err)
	}
}

// TestBlockedTerminal sends to a terminal that nobody reads until the kernel takes no more.
func TestBlockedTerminal(t *testing.T) {
	master, slave := pty(t)
	c, _ := record1(t, master)
	s := session(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Send(ctx, string(bytes.Repeat([]byte("x"), 1<<20))); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("send: %v", err)
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		b := make([]byte, 4096)
		for {
			n, err := slave.Read(b)
			if err != nil || bytes.HasSuffix(b[:n], []byte("end")) {
				return
			}
		}
	}()
	if err := s.Send(t.Context(), "end"); err != nil {
		t.Errorf("send after an abort: %v", err)
	}
	<-drained
}

// TestLastBytes has processes write to terminals and exit while the reader waits: their last bytes come in the moment
// in which the kernel says that nobody is there any more. Without the second look it lost some in one of a thousand.
func TestLastBytes(t *testing.T) {
	text := &corpus{t: t, text: benchText(256<<10, 64<<10)}
	for range 50 {
		c, f := record1(t, text.stream("pty"))
		<-c.Ended()
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(f.Name()); err != nil || !bytes.Equal(got, text.text) {
			t.Fatalf("%d of %d bytes, error %v", len(got), len(text.text), err)
		}
	}
}

// hangup is a terminal whose last bytes come after it was found closed.
type hangup struct{ reads []string }

func (h *hangup) Read(b []byte) (int, error) {
	if len(h.reads) == 0 {
		return 0, unix.EIO
	}
	next := h.reads[0]
	h.reads = h.reads[1:]
	if next == "" {
		return 0, unix.EIO
	}
	return copy(b, next), nil
}

func (*hangup) Write(b []byte) (int, error) { return len(b), nil }
func (*hangup) Close() error                { return nil }

func TestBytesAfterHangup(t *testing.T) {
	c, f := record1(t, &hangup{reads: []string{"first ", "", "second ", "", "last\n", "", ""}})
	<-c.Ended()
	if err := c.Err(); !errors.Is(err, unix.EIO) || results.ClassOf(err) != results.ClassInfrastructure {
		t.Errorf("ended with %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(f.Name()); err != nil || string(got) != "first second last\n" {
		t.Errorf("record %q, error %v", got, err)
	}
}
