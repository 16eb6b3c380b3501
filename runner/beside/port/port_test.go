package port_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/gantry-ci/gantry/runner/beside/port"
)

// TestPort has a record of a bounded size take what comes first, and a writer never wait.
func TestPort(t *testing.T) {
	const limit = 1 << 20
	file := filepath.Join(t.TempDir(), port.File)
	if err := os.WriteFile(file, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	target, host := net.Pipe()
	p, err := port.New(host, f, port.Options{Max: limit})
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
	p.Follow(t.Context(), int64(len("before\n")), func(b []byte) { got = append(got, b...) }) // to the target's end
	if room := limit - len("before\n"); !bytes.Equal(got, sent[:room]) || p.Size() != limit ||
		p.Dropped() != int64(len(sent)-room) {
		t.Errorf("%d bytes, size %d, dropped %d", len(got), p.Size(), p.Dropped())
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if b, err := os.ReadFile(file); err != nil || !bytes.Equal(b, append([]byte("before\n"), got...)) {
		t.Errorf("the record has %d bytes: %v", len(b), err)
	}
}

// TestFollowEnds has a follower leave when its context ends, with what was there.
func TestFollowEnds(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), port.File))
	if err != nil {
		t.Fatal(err)
	}
	target, host := net.Pipe()
	p, err := port.New(host, f, port.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := target.Write([]byte("a\nb\n")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var got string
	p.Follow(ctx, 0, func(b []byte) {
		if got += string(b); got == "a\nb\n" {
			cancel()
		}
	})
	cancel()
	if err := p.Close(); got != "a\nb\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
