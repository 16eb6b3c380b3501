package qemu

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/vmhost/vm"
)

// testGuest is a guest of its own and what it boots.
type testGuest struct {
	*Guest
	all  *Guests
	spec vm.Spec
}

func newTestGuest(o Options) *testGuest {
	all := New(o)
	return &testGuest{all.guest(""), all, vm.Spec{Images: map[string]string{}}}
}

func (g *testGuest) Image(name, path string) { g.spec.Images[name] = path }

// Args adds one of the job's arguments, unless it is refused.
func (g *testGuest) Args(args ...string) error {
	s := g.spec
	s.Args = append(slices.Clip(s.Args), strings.Join(args, " "))
	if err := g.all.Check(s); err != nil {
		return err
	}
	g.spec = s
	return nil
}

func (g *testGuest) Prepare(ctx context.Context) (*command, error) {
	return g.prepare(ctx, g.spec, false)
}

func (g *testGuest) On(ctx context.Context) error { return g.Guest.On(ctx, g.spec) }

// jobArgv is what On would execute.
func jobArgv(t *testing.T, g *testGuest) []string {
	t.Helper()
	c, err := g.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c.argv
}

// A guest boots what it is given, and nothing of what it was given before.
func TestSecondSpec(t *testing.T) {
	g := served()
	if err := g.Args("-kernel {kernel}", "-append first-boot"); err != nil {
		t.Fatal(err)
	}
	first := jobArgv(t, g)
	second := vm.Spec{
		Images: map[string]string{"kernel": "/run/2/bzImage"}, Args: []string{"-kernel {kernel} -append two", "-m 512"},
	}
	c, err := g.prepare(t.Context(), second, false)
	if err != nil {
		t.Fatal(err)
	}
	argv := strings.Join(c.argv, " ")
	if strings.Count(argv, "-kernel ") != 1 || !strings.Contains(argv, "-kernel /run/2/bzImage -append two") ||
		strings.Contains(argv, "first-boot") || !strings.Contains(argv, "-m 512") {
		t.Errorf("argv %s", argv)
	}
	if again := jobArgv(t, g); !slices.Equal(first, again) {
		t.Errorf("the first spec is %q now, and was %q", again, first)
	}
	if c, err = g.prepare(t.Context(), vm.Spec{}, false); err != nil || slices.Contains(c.argv, "-kernel") {
		t.Errorf("no arguments: %v, %v", c, err)
	}
}

// A refusal says which of the job's arguments it is about.
func TestCheckIndex(t *testing.T) {
	all := New(testOptions("run-1"))
	long := "-append " + strings.Repeat("x", maxArgument-len("-append "))
	for _, c := range []struct {
		args  []string
		index int
		want  string
	}{
		{[]string{"-m 512", "-append 'a", "-smp 2"}, 1, "a quotation is not closed"},
		{[]string{"-m 512", "-smp 2", "-chardev file,id=x,path=/x"}, 2, "-chardev is not allowed"},
		{[]string{"-hda {disk}", "-smp 2", "-hdb {disk}"}, 2, "what is a disk may be used once"},
		{slices.Repeat([]string{long}, 17), 16, "the job has too many arguments"},
	} {
		err := all.Check(vm.Spec{Args: c.args, Images: map[string]string{"disk": ""}})
		e := asArgumentError(err)
		if e == nil || e.Index != c.index || !strings.Contains(e.Reason, c.want) {
			t.Errorf("%.80q: %v", c.args, err)
		}
	}
	if err := all.Check(vm.Spec{Args: slices.Repeat([]string{long}, 16)}); err != nil {
		t.Error(err)
	}
}

// A plan can be described before its images are there; nothing starts without them.
func TestUnknownImages(t *testing.T) {
	s := vm.Spec{Images: map[string]string{"kernel": "", "disk": ""}, Args: []string{"-kernel {kernel} -hda {disk}"}}
	g := New(testOptions("run-1")).guest("")
	e, err := g.Describe(t.Context(), s)
	if err != nil || !slices.ContainsFunc(e.Changes, func(c string) bool { return strings.Contains(c, "{disk}") }) {
		t.Errorf("%+v, %v", e, err)
	}
	err = g.On(t.Context(), s)
	if asArgumentError(err) == nil || !strings.Contains(err.Error(), "there is no image {kernel}") {
		t.Errorf("got %v", err)
	}
}

// The same name is the same guest; another name is another guest with an id of its own.
func TestGuestNames(t *testing.T) {
	all := New(testOptions("run-1"))
	if all.Guest("") != all.Guest("") || all.Guest("a") != all.Guest("a") || all.Guest("") == all.Guest("a") {
		t.Error("names and guests do not go together")
	}
	if id := all.Guest("").ID(); id != "run-1" {
		t.Errorf("the first guest is %s", id)
	}
}
