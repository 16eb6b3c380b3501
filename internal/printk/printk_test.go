package printk

import (
	"strings"
	"testing"
)

func TestMessage(t *testing.T) {
	for in, want := range map[string]string{
		"[    1.234567] text":                    "|1.234567||text",
		"<6>[    1.234567] text":                 "|1.234567||text",
		"[123456789.123456] text":                "|123456789.123456||text",
		"[    1.234567][   T12] text":            "|1.234567|T12|text",
		"[    1.234567][    C0] text":            "|1.234567|C0|text",
		"[    1.234567][  T12@C3] text":          "|1.234567|T12|text",
		"[    1.234567]\ttext":                   "|1.234567||text",
		"[    1.234567]":                         "|1.234567||",
		"[    1.234567]\n":                       "|1.234567||\n",
		"user[    1.234567] text":                "user|1.234567||text",
		"user <4>[    1.234567] text":            "user |1.234567||text",
		"<6666>[    1.234567] text":              "<6666>|1.234567||text",
		"<>[    1.234567] text":                  "<>|1.234567||text",
		"[[    1.234567] text":                   "[|1.234567||text",
		"[    1.234567]x [    2.234567] text":    "[    1.234567]x |2.234567||text",
		"[    1.234567][x] [    2.234567] text":  "[    1.234567][x] |2.234567||text",
		"[    1.234567][T] [    2.234567] text":  "[    1.234567][T] |2.234567||text",
		"[    1.234567][T1@] [    2.234567] two": "[    1.234567][T1@] |2.234567||two",
		"[    1.23456] text":                     "none",
		"[    1.2345678] text":                   "none",
		"[1234567890.234567] text":               "none",
		"[ RUN      ] x":                         "none",
		"[    .234567] x":                        "none",
		"[    1.234567":                          "none",
		"[":                                      "none",
		"":                                       "none",
	} {
		got := "none"
		if p, ok := Message([]byte(in)); ok {
			got = in[:p.Start] + "|" + string(p.Time) + "|" + string(p.Caller) + "|" + in[p.End:]
		}
		if got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestFind(t *testing.T) {
	for in, want := range map[string]string{
		"ab[    1.234567]cd":             "ab|cd",
		"ab<5>[    1.234567] cd":         "ab| cd",
		"[   1.2] ab[    1.234567][T1]c": "[   1.2] ab|[T1]c",
		"abcd":                           "none",
	} {
		got := "none"
		if p, ok := Find([]byte(in)); ok {
			got = in[:p.Start] + "|" + in[p.Stamp:]
		}
		if got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestBegins(t *testing.T) {
	for in, want := range map[string]bool{
		"[    1.234567] x":     true,
		"<6>[    1.234567]x":   true,
		"<123>[    1.234567]x": true,
		"<6> [    1.234567]":   false,
		"<x>[    1.234567]":    false,
		" [    1.234567]":      false,
		"<6":                   false,
		"<6>":                  false,
		"":                     false,
	} {
		if _, ok := Begins([]byte(in)); ok != want {
			t.Errorf("%q begins with a prefix: %v, want %v", in, ok, want)
		}
	}
}

func TestTrim(t *testing.T) {
	for in, want := range map[string]string{
		"[    0.060000] ok 1":       "ok 1",
		"[    0.060000]     ok 1":   "    ok 1",
		"<6>[   12.1][    T1] ok 1": "ok 1",
		"[1.2][C12] x":              "x",
		"<6>ok 1":                   "ok 1",
		"[ RUN      ] Foo.Bar":      "[ RUN      ] Foo.Bar",
		"[==========] x":            "[==========] x",
		"<<<test_start>>>":          "<<<test_start>>>",
		"[12.34":                    "[12.34",
		"":                          "",
	} {
		if got := Trim(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte("a<6>[    1.234567][  T12@C3] text"))
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, read := range []func([]byte) (Prefix, bool){Find, Message, Begins} {
			p, ok := read(in)
			if ok && (p.Start < 0 || p.Start >= p.Stamp || p.Stamp > p.End || p.End > len(in)) {
				t.Errorf("%q: %+v", in, p)
			}
		}
		if got := Trim(string(in)); !strings.HasSuffix(string(in), got) {
			t.Errorf("%q is %q", in, got)
		}
	})
}

func BenchmarkMessage(b *testing.B) {
	for name, in := range map[string]string{
		"message":  "[    1.234567][   T12] text that the kernel prints",
		"none":     strings.Repeat("no prefix [at all] ", 200),
		"brackets": strings.Repeat("[", 4096),
		"blanks":   "[" + strings.Repeat(" [", 2048),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				Message([]byte(in))
			}
		})
	}
}
