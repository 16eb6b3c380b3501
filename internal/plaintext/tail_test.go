package plaintext

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestTail writes text in any pieces: its last bytes are kept, whatever the pieces are.
func TestTail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tail, all := NewTail(7), ""
		for _, piece := range rapid.SliceOf(rapid.StringMatching(`[a-z ]{0,20}`)).Draw(t, "pieces") {
			if n, err := tail.Write([]byte(piece)); n != len(piece) || err != nil {
				t.Fatal(n, err)
			}
			all += piece
		}
		if len(tail.buf) > 7 {
			t.Errorf("%d bytes are kept", len(tail.buf))
		}
		if want := strings.TrimSpace(all[max(0, len(all)-7):]); tail.String() != want {
			t.Errorf("%q of %q, want %q", tail, all, want)
		}
	})
	tail := NewTail(1 << 10)
	for _, s := range []string{"first", strings.Repeat("x", 3<<10), "\xff the end \n"} {
		if n, err := tail.Write([]byte(s)); n != len(s) || err != nil {
			t.Errorf("wrote %d of %d: %v", n, len(s), err)
		}
	}
	got := tail.String()
	if len(tail.buf) != 1<<10 || !strings.HasSuffix(got, "xx\uFFFD the end") || strings.Contains(got, "first") {
		t.Errorf("%d bytes: %q", len(tail.buf), got)
	}
	tail = NewTail(4)
	_, _ = tail.Write([]byte("so äh\n"))
	if got := tail.String(); got != "äh" {
		t.Errorf("%q", got)
	}
	tail = NewTail(3)
	_, _ = tail.Write([]byte("äh\n")) // cut within a character
	if got := tail.String(); got != "\uFFFDh" {
		t.Errorf("%q", got)
	}
}
