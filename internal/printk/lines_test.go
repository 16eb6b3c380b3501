package printk

import (
	"slices"
	"testing"
)

func TestInterrupted(t *testing.T) {
	for in, want := range map[string]string{
		"ok 3 mq_open[   12.345678] random: crng init done":    "ok 3 mq_open",
		"ok 3 mq_open<6>[   12.345678] random: crng init done": "ok 3 mq_open",
		"[   12.345678] random: crng init done":                "",
		"[ RUN      ] Foo.Bar":                                 "",
		"plain":                                                "",
	} {
		if head, ok := Interrupted(in); ok != (want != "") || ok && head != want {
			t.Errorf("%q: %q, %v, want %q", in, head, ok, want)
		}
	}
}

func TestStamped(t *testing.T) {
	for in, want := range map[string]bool{
		"[   12.345678] x":      true,
		"<6>[   12.345678] x":   true,
		"[   12.345678][T1] x":  true,
		"x [   12.345678] x":    false,
		"[ RUN      ] Foo.Bar":  false,
		"<x>[   12.345678] x":   false,
		"[   12.345678]x":       false,
		"[ 1.2] [ 12.345678] x": false,
	} {
		if got := Stamped(in); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

func TestUninterrupted(t *testing.T) {
	const text = "<a>\n[    1.000000] one\n<b na[    2.000000] two\n[    2.000001][   T12] three\n" +
		"me=[    3.000000] four\n1>\n</a>\n"
	got, lines := Uninterrupted([]byte(text), []int{11, 12, 13, 14, 15, 16, 17})
	if string(got) != "<a>\n<b name=1>\n</a>\n" || !slices.Equal(lines, []int{11, 13, 17}) {
		t.Errorf("%q, lines %v", got, lines)
	}
	if got, lines := Uninterrupted([]byte("<a/>\n"), []int{1}); got != nil || lines != nil {
		t.Errorf("%q, lines %v", got, lines)
	}
}
