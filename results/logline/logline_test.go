package logline

import (
	"slices"
	"testing"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                "plain",
		"a\r\n":                "a\n",
		"\x1b[1;31mred\x1b[0m": "red",
		"\x1b]0;title\x07x":    "x",
		"\x1b]0;title\x1b\\x":  "x",
		"\x1b(Bx":              "x",
		"\x1bcx":               "x",
		"x\x1b":                "x",
		"x\x1b[1":              "x",
		"x\x1b]never":          "x",
		"\x1b[":                "",
	} {
		if got := string(Clean([]byte(in))); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestTrimPrintk(t *testing.T) {
	for in, want := range map[string]string{
		"[    0.060000] ok 1":       "ok 1",
		"[    0.060000]     ok 1":   "    ok 1",
		"<6>[   12.1][    T1] ok 1": "ok 1",
		"[1.2][C12] x":              "x",
		"[ RUN      ] Foo.Bar":      "[ RUN      ] Foo.Bar",
		"[==========] x":            "[==========] x",
		"<<<test_start>>>":          "<<<test_start>>>",
		"[12.34":                    "[12.34",
		"":                          "",
	} {
		if got := TrimPrintk(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestClip(t *testing.T) {
	for in, want := range map[string]string{"\ta\tb\x00\n": "a b", "\xff": "\uFFFD"} {
		if got := Clip(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
	if got := Clip(string(make([]byte, 5000))); got != "" {
		t.Errorf("%q", got)
	}
}

func TestUninterrupted(t *testing.T) {
	const text = "<a>\n[    1.000000] one\n<b na[    2.000000] two\n[    2.000001][   T12] three\nme=[    3.000000] four\n1>\n</a>\n"
	got, lines := Uninterrupted([]byte(text), []int{11, 12, 13, 14, 15, 16, 17})
	if string(got) != "<a>\n<b name=1>\n</a>\n" || !slices.Equal(lines, []int{11, 13, 17}) {
		t.Errorf("%q, lines %v", got, lines)
	}
	if got, lines := Uninterrupted([]byte("<a/>\n"), []int{1}); got != nil || lines != nil {
		t.Errorf("%q, lines %v", got, lines)
	}
}
