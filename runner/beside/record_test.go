package beside_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/beside"
)

// TestRecord has a record of a bounded size take what comes first, and a writer never wait.
func TestRecord(t *testing.T) {
	const limit = 1 << 20
	dir := t.TempDir()
	file := filepath.Join(dir, results.CopiesFile(""))
	if err := os.WriteFile(file, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	target, host := net.Pipe()
	r, err := beside.OpenRecord(dir, host, beside.RecordOptions{Max: limit})
	if err != nil {
		t.Fatal(err)
	}
	sent := bytes.Repeat([]byte("0123456789abcdef"), limit/8) // twice the limit
	if _, err := target.Write(sent); err != nil {
		t.Fatal(err)
	}
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
	var got []byte
	r.Follow(t.Context(), int64(len("before\n")), func(b []byte) { got = append(got, b...) }) // to the target's end
	if room := limit - len("before\n"); !bytes.Equal(got, sent[:room]) || r.Size() != limit ||
		r.Dropped() != int64(len(sent)-room) {
		t.Errorf("%d bytes, size %d, dropped %d", len(got), r.Size(), r.Dropped())
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if b, err := os.ReadFile(file); err != nil || !bytes.Equal(b, append([]byte("before\n"), got...)) {
		t.Errorf("the record has %d bytes: %v", len(b), err)
	}
}

// TestRecordFinish has the record of a target that is gone get what the socket still has, which nobody has read when it
// is finished.
func TestRecordFinish(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(t.TempDir(), "port"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	target, err := new(net.Dialer).DialContext(t.Context(), "unix", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	host, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	sent := bytes.Repeat([]byte("0123456789abcdef"), 8<<10) // more than one read brings
	if _, err := target.Write(sent); err != nil {
		t.Fatal(err)
	}
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := beside.OpenRecord(t.TempDir(), host, beside.RecordOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.Finish(); err != nil {
			t.Error(err)
		}
	}
	if r.Size() != int64(len(sent)) {
		t.Errorf("the record has %d of %d bytes", r.Size(), len(sent))
	}
}

// TestRecordFinishIsBounded finishes the record of a stream that does not end.
func TestRecordFinishIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target, host := net.Pipe()
		r, err := beside.OpenRecord(t.TempDir(), host, beside.RecordOptions{})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := r.Finish(); err != nil {
			t.Error(err)
		}
		if elapsed := time.Since(start); elapsed != 10*time.Second {
			t.Errorf("it took %s", elapsed)
		}
		if err := target.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestFollowEnds has a follower leave when its context ends, with what was there.
func TestFollowEnds(t *testing.T) {
	target, host := net.Pipe()
	r, err := beside.OpenRecord(t.TempDir(), host, beside.RecordOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := target.Write([]byte("a\nb\n")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var got string
	r.Follow(ctx, 0, func(b []byte) {
		if got += string(b); got == "a\nb\n" {
			cancel()
		}
	})
	cancel()
	if err := r.Close(); got != "a\nb\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
