package qemu

import (
	"slices"
	"strings"
	"testing"
)

// jobArgv is what On would execute.
func jobArgv(t *testing.T, g *Guest) []string {
	t.Helper()
	c, err := g.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c.Argv
}

// A second boot of the same guest says its own arguments; nothing of the first is left.
func TestSetArgs(t *testing.T) {
	g := served()
	if err := g.Args("-kernel {kernel}", "-append first-boot"); err != nil {
		t.Fatal(err)
	}
	if err := g.SetArgs("-kernel {kernel} -append", "two"); err != nil {
		t.Fatal(err)
	}
	if err := g.Args("-m 512"); err != nil { // after it as after none
		t.Fatal(err)
	}
	argv := strings.Join(jobArgv(t, g), " ")
	if strings.Count(argv, "-kernel ") != 1 || !strings.Contains(argv, "-append two") ||
		strings.Contains(argv, "first-boot") || !strings.Contains(argv, "-m 512") {
		t.Errorf("argv %s", argv)
	}

	before := jobArgv(t, g)
	if err := g.SetArgs("-chardev file,id=x,path=/x"); asArgumentError(err) == nil {
		t.Errorf("a served job may say what it may not to Args: %v", err)
	}
	if after := jobArgv(t, g); !slices.Equal(before, after) {
		t.Errorf("a refused call changed %q to %q", before, after)
	}

	if err := g.SetArgs(); err != nil {
		t.Fatal(err)
	}
	if argv := jobArgv(t, g); slices.Contains(argv, "-kernel") {
		t.Errorf("no arguments: %q", argv)
	}
}

// The bound on a job's arguments is of those in force, not of all there ever were.
func TestSetArgsBound(t *testing.T) {
	g := served()
	long := "-append " + strings.Repeat("x", maxArgument)
	for range 2 * maxArgs / maxArgument {
		if err := g.SetArgs(long); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; ; i++ {
		if err := g.Args(long); err != nil {
			break
		}
		if i > maxArgs/maxArgument {
			t.Fatal("arguments without end")
		}
	}
}
