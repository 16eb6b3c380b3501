package logline

import "testing"

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
