package beside_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/gantry-ci/gantry/runner/beside"
)

// TestRecord has a record of a bounded size take what comes first, and a writer never wait.
func TestRecord(t *testing.T) {
	const limit = 1 << 20
	dir := t.TempDir()
	file := filepath.Join(dir, beside.RecordFile)
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
