package plaintext

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestHead(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"abc", 3, "abc"},
		{"abc", 2, "ab"},
		{"abc", 0, ""},
		{"aé", 2, "a"},
		{"aé", 3, "aé"},
		{"a\U0001F600b", 4, "a"},
		{"a\xff", 5, "a\uFFFD"},
		{"\x80\x80\x80\x80\x80\x80", 5, "\uFFFD"},
	} {
		if got := Head(c.in, c.n); got != c.want {
			t.Errorf("%d bytes of %q: %q, want %q", c.n, c.in, got, c.want)
		}
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"abc", 3, "abc"},
		{"abcdef", 5, "ab…"},
		{"aéidem", 5, "a…"},
		{"abcdef", 3, "…"},
		{"abc\xff", 6, "abc\uFFFD"},
		{"abc\xff", 5, "ab…"},
	} {
		got := Clip(c.in, c.n)
		if got != c.want {
			t.Errorf("%q in %d bytes: %q, want %q", c.in, c.n, got, c.want)
		}
		if again := Clip(got, c.n); again != got {
			t.Errorf("%q in %d bytes once more: %q", got, c.n, again)
		}
	}
}

// TestClipLength has nothing cut that fits, and no more cut than has to be.
func TestClipLength(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, limit := rapid.String().Draw(t, "s"), rapid.IntRange(10, 50).Draw(t, "limit")
		got := Clip(s, limit)
		if len(got) > limit || !utf8.ValidString(got) || len(s) <= limit && got != s ||
			len(s) > limit && len(got) < limit-len(mark)-utf8.UTFMax {
			t.Errorf("%q in %d bytes: %q", s, limit, got)
		}
	})
}

func TestRunes(t *testing.T) {
	for in, want := range map[string]string{"": "", "é": "é", "éé": "éé", "ééé": "éé", "a\xffb": "a\xff"} {
		if got := Runes(in, 2); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	if got := Printable("a\tb\nc\x1b\u202ed\xff\ufeff", "\t"); got != "a\tb\uFFFDc\uFFFD\uFFFDd\uFFFD\uFFFD" {
		t.Errorf("%q", got)
	}
}

func TestLine(t *testing.T) {
	for in, want := range map[string]string{"\ta\tb\x00\n": "a b", "\xff": "\uFFFD", "a\u0085b": "ab"} {
		if got := Line(in, 100); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
	if got := Line(string(make([]byte, 5000)), 1024); got != "" {
		t.Errorf("%q", got)
	}
}

func FuzzClip(f *testing.F) {
	f.Add("aé…\xff", 3)
	f.Fuzz(func(t *testing.T, in string, n int) {
		n = max(3, n%5000)
		for name, got := range map[string]string{"clip": Clip(in, n), "line": Line(in, n)} {
			if !utf8.ValidString(got) {
				t.Errorf("%s %q in %d bytes: %q is not UTF-8", name, in, n, got)
			}
		}
		if got := Clip(in, n); len(got) > n {
			t.Errorf("%q in %d bytes: %q has %d", in, n, got, len(got))
		}
		if got := Line(in, n); strings.ContainsAny(got, "\n\t\x00") {
			t.Errorf("%q: %q is no line", in, got)
		}
	})
}
