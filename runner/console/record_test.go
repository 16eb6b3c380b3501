package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gantry-ci/gantry/internal/terminal"
	"github.com/gantry-ci/gantry/results"
)

// TestFullDisk records to a file that takes nothing.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no /dev/full here: %v", err)
	}
	defer func() { _ = full.Close() }()
	near, far := net.Pipe()
	defer func() { _ = far.Close() }()
	c, err := New(near, full, Options{})
	if err != nil {
		t.Fatal(err)
	}
	go func() { // more than the ring takes
		for line := []byte(strings.Repeat("x", 4095) + "\n"); ; {
			if _, err := far.Write(line); err != nil {
				return
			}
		}
	}()
	s := session(t, c)
	_, err = s.Expect(t.Context(), compileT(t, "never"))
	if results.ClassOf(err) != results.ClassInfrastructure || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("expect: %v", err)
	}
	if <-c.Ended(); !errors.Is(c.Err(), syscall.ENOSPC) {
		t.Errorf("console: %v", c.Err())
	}
	if err := c.Close(); results.ClassOf(err) != results.ClassInfrastructure || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("close: %v", err)
	}
}

// TestLimit has the target print more than it may, in a record that goes on.
func TestLimit(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "console.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	limit := NewLimit(20)
	for boot, want := range []string{"first boot\n", "first boot\nlogin: zz"} {
		said := []string{"first boot\n", "login: zzzzzzzzzz"}[boot]
		c, err := New(memory{strings.NewReader(said)}, f, Options{Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		<-c.Ended()
		if boot == 1 &&
			(results.ClassOf(c.Err()) != results.ClassJob || !strings.Contains(c.Err().Error(), "more than 20 bytes")) {
			t.Errorf("ended with %v", c.Err())
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(f.Name()); err != nil || string(got) != want {
			t.Errorf("record %q, error %v", got, err)
		}
	}
}

// TestSlowCursor reads a record of which most is no longer in memory.
func TestSlowCursor(t *testing.T) {
	c, far, f := open(t)
	want := make([]byte, 5*ringSize+123)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(want)
	slow, fast := c.From(0), c.From(0)
	if _, err := far.Write(want[:1]); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() {
		_, err := far.Write(want[1:])
		_ = far.Close()
		written <- err
	}()
	for name, cur := range map[string]*Cursor{"fast": fast, "slow": slow} {
		var got []byte
		for {
			b, err := cur.Next(t.Context())
			if err != nil {
				break
			}
			got = append(got, b...)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s cursor got %d bytes, not the %d that were sent", name, len(got), len(want))
		}
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(f.Name()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("record of %d bytes, error %v", len(got), err)
	}
}

// TestReopened goes on in the record of an earlier stream.
func TestReopened(t *testing.T) {
	name := filepath.Join(t.TempDir(), "console.log")
	for boot := range 3 {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		c, err := New(memory{strings.NewReader(fmt.Sprintf("boot\nlogin %d\n", boot))}, f, Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := session(t, c)
		m, err := s.Expect(t.Context(), compileT(t, fmt.Sprintf(`login %d`, boot)))
		if err != nil || m.Line != 2*boot+2 || m.Start != int64(boot*13+5) {
			t.Errorf("boot %d: match %+v, error %v", boot, m, err)
		}
		if got := c.Begin(); got != int64(boot*13) { // however much of it is read by now
			t.Errorf("boot %d begins at %d", boot, got)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		_ = f.Close()
	}
}

func TestWriteOnlyRecord(t *testing.T) {
	f, err := os.OpenFile(filepath.Join(t.TempDir(), "console.log"), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := New(memory{strings.NewReader("")}, f, Options{}); results.ClassOf(err) != results.ClassInfrastructure {
		t.Errorf("error %v", err)
	}
}

// endless is a stream of n bytes without a newline.
type endless struct {
	memory
	n    int64
	fill byte
}

func (e *endless) Read(b []byte) (int, error) {
	if e.n <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(b)), e.n)
	for i := range b[:n] {
		b[i] = e.fill
	}
	e.n -= n
	return int(n), nil
}

// TestBoundedMemory has streams with nothing to hold on to.
func TestBoundedMemory(t *testing.T) {
	size := int64(16 << 20)
	if os.Getenv("GANTRY_BENCH") != "" {
		size = 1 << 30
	}
	for name, fill := range map[string]byte{
		"no newline": 'x', "newlines": '\n', "in an escape": terminal.ESC, "no UTF-8": 0xff,
	} {
		t.Run(name, func(t *testing.T) {
			f, err := os.Create(filepath.Join(t.TempDir(), "console.log"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			c, err := New(&endless{n: size, fill: fill}, f, Options{})
			if err != nil {
				t.Fatal(err)
			}
			s := session(t, c)
			if _, err := s.Expect(
				t.Context(), compileT(t, "x+ login: ", "^#", "y.*z"),
			); results.ClassOf(err) != results.ClassInfrastructure {
				t.Errorf("error %v", err)
			}
			var mem runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&mem)
			if mem.HeapAlloc > 32<<20 || c.Size() != size {
				t.Errorf("%d bytes on the heap, %d in the record", mem.HeapAlloc, c.Size())
			}
			if fill == '\n' && int64(c.LineAt(size)) != size+1 {
				t.Errorf("line %d", c.LineAt(size))
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLineAt(t *testing.T) {
	text := benchText(3*lineStride, 1000)
	var x lineIndex
	x.add(text[:7])
	x.add(text[7:])
	c, far, _ := open(t)
	go func() { _, _ = far.Write(text); _ = far.Close() }()
	<-c.Ended()
	for off := int64(0); off < int64(len(text)); off += 997 {
		want := bytes.Count(text[:off], []byte("\n")) + 1
		if got := c.LineAt(off); got != want {
			t.Fatalf("line %d at %d, want %d", got, off, want)
		}
	}
}

// TestTimes says when bytes arrived, over a day and to the millisecond in the file.
func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		f, err := os.Create(filepath.Join(dir, "console.log"))
		if err != nil {
			t.Fatal(err)
		}
		times, err := os.Create(filepath.Join(dir, "console.times"))
		if err != nil {
			t.Fatal(err)
		}
		near, far := net.Pipe()
		c, err := New(near, f, Options{Times: times})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for range 3 * marks {
			say(t, far, "x")
			time.Sleep(time.Second)
		}
		for _, off := range []int64{0, 1, 1000, 3*marks - 1} {
			got := c.rec.timeAt(off).Sub(start)
			if late := time.Duration(off)*time.Second - got; late < 0 || late > 8*time.Second {
				t.Errorf("byte %d at %s", off, got)
			}
		}
		_ = far.Close()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		b, err := os.ReadFile(times.Name())
		if err != nil || len(b) != 3*marks*results.ArrivalSize {
			t.Fatalf("%d bytes of times, error %v", len(b), err)
		}
		for _, off := range []int64{0, 1, 1000, 3*marks - 1} {
			at, ok, err := results.ArrivalAt(times, int64(len(b)), off)
			if want := start.Add(time.Duration(off) * time.Second); err != nil || !ok || !at.Equal(want) {
				t.Errorf("byte %d in the file at %s, %t, error %v, want %s", off, at, ok, err, want)
			}
		}
		_, _ = f.Close(), times.Close()
	})
}

// TestDelays types slowly, and wakes who waits for a prompt in time.
func TestDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far, _ := open(t)
		s := session(t, c)
		s.CharDelay = 100 * time.Millisecond
		got := make(chan string)
		go func() {
			b := make([]byte, 8)
			n, _ := io.ReadFull(far, b)
			got <- string(b[:n])
		}()
		start := time.Now()
		if err := s.SendLine(t.Context(), "éhello"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); <-got != "éhello\n" || took != 700*time.Millisecond {
			t.Errorf("took %s", took)
		}
		start = time.Now()
		for i := range 10 {
			say(t, far, fmt.Sprint(i, " login: "))
			if _, err := s.Expect(t.Context(), compileT(t, "login: ")); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took > 10*wakeDelay {
			t.Errorf("ten prompts took %s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := s.Expect(ctx, compileT(t, "login: ")); !errors.Is(err, context.DeadlineExceeded) ||
			time.Since(start) < time.Minute {
			t.Errorf("error %v after %s", err, time.Since(start))
		}
		_ = far.Close()
		_ = c.Close()
	})
}
