package boot

import "testing"

// TestKernels has two consoles on which kernels boot: a line is of the kernel of its own console.
func TestKernels(t *testing.T) {
	k := NewKernels(true)
	for _, b := range []struct {
		console string
		line    int
		build   string
	}{{"", 1, "aa"}, {"two", 1, "bb"}, {"", 50, "cc"}} {
		if err := k.Boot(b.console, b.line, ""); err != nil {
			t.Fatal(err)
		}
		k.Identify(b.console, b.build)
	}
	k.Identify("two", "bd")
	k.Unknown("two", 80) // it rebooted by itself
	for _, c := range []struct {
		console string
		line    int
		want    string
	}{{"", 49, "aa"}, {"", 50, "cc"}, {"", 90, "cc"}, {"two", 60, "bd"}, {"two", 80, ""}, {"three", 1, ""}} {
		if got := k.At(c.console, c.line).BuildID; got != c.want {
			t.Errorf("line %d of console %q: build %q, want %q", c.line, c.console, got, c.want)
		}
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}
