package terminal

import (
	"strings"
	"testing"
)

// cases are bytes of a console, what a terminal shows of them, and what they may say.
var cases = []struct{ in, strip, text string }{
	{"", "", ""},
	{"plain\ttext", "plain\ttext", "plain\ttext"},
	{"a\r", "a", "a"},
	{"\x1b[1;31mred\x1b[0m", "red", "red"},
	{"\x1b[?25lx\x1b[1 qy", "xy", "xy"},
	{"\x1b]0;title\x07x", "x", "x"},
	{"\x1b]0;title\x1b\\x", "x", "x"},
	{"\x1bPdevice\x1b\\x\x1b_app\x07y", "xy", "xy"},
	{"\x1b(Bx\x1b)0y", "xy", "xy"},
	{"\x1bcx\x1b7y\x1b=z", "xyz", "xyz"},
	{"a\x00b\x08c\x7fd", "a\x00b\x08c\x7fd", "abcd"},

	// An ESC breaks off what it stands in.
	{"\x1b[3\x1b[31mx", "x", "3x"},
	{"\x1b]0;t\x1b[31mx", "x", "0;tx"},
	{"\x1b\x1b[mx", "x", "x"},

	// What has no end.
	{"x\x1b", "x", "x"},
	{"x\x1b[", "x", "x"},
	{"x\x1b[1", "x", "x1"},
	{"x\x1b]never", "x", "xnever"},
	{"\x1b[1\xffm", "", ""},
	{"\x1b]" + strings.Repeat("y", 300), strings.Repeat("y", 46), strings.Repeat("y", 300)},
	{"\x1b[" + strings.Repeat("1", 300) + "m", strings.Repeat("1", 46) + "m", strings.Repeat("1", 300) + "m"},
}

func TestStrip(t *testing.T) {
	for _, c := range cases {
		if got := string(Strip([]byte(c.in))); got != c.strip {
			t.Errorf("strip %q: %q, want %q", c.in, got, c.strip)
		}
		if got := string(Text([]byte(c.in))); got != c.text {
			t.Errorf("text %q: %q, want %q", c.in, got, c.text)
		}
	}
}

// TestStripLines has a broken escape end with its line.
func TestStripLines(t *testing.T) {
	if got := string(Strip([]byte("a\x1b]b\r\nc\x1b[3\nd\r\n"))); got != "a\nc\nd\n" {
		t.Errorf("%q", got)
	}
}

// TestSame has nothing copied that has nothing to remove.
func TestSame(t *testing.T) {
	b := []byte("[    1.000000] plain\ttext, caf\xc3\xa9")
	if got := Strip(b); &got[0] != &b[0] || len(got) != len(b) {
		t.Errorf("strip %q: %q", b, got)
	}
	if got := Text(b); &got[0] != &b[0] || len(got) != len(b) {
		t.Errorf("text %q: %q", b, got)
	}
}

// FuzzStrip holds what every input must keep: nothing is added, and a stream that is cut anywhere gives the same text.
func FuzzStrip(f *testing.F) {
	for _, c := range cases {
		f.Add([]byte(c.in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var e Escapes
		var stream []byte
		for _, b := range in {
			if !e.Drop(b) {
				stream = append(stream, b)
			}
		}
		if got := Strip(in); string(got) != string(stream) {
			t.Errorf("%q: %q as a whole, %q byte by byte", in, got, stream)
		}
		got := Text(in)
		if string(Text(got)) != string(got) {
			t.Errorf("%q: %q still has something to remove", in, got)
		}
		for _, b := range got {
			if control(b) {
				t.Errorf("%q: %q has the control character %#x", in, got, b)
			}
		}
	})
}

func BenchmarkText(b *testing.B) {
	for name, in := range map[string]string{
		"plain":      strings.Repeat("[    1.000000] text ", 200),
		"colored":    strings.Repeat("\x1b[1;31mtext\x1b[0m ", 200),
		"unfinished": strings.Repeat("\x1b]", 2000),
		"parameters": strings.Repeat("\x1b[1;1;1;1", 400),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				Text([]byte(in))
			}
		})
	}
}
