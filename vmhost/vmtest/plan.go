package vmtest

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/gantry-ci/gantry/vmhost/kvm"
	"github.com/gantry-ci/gantry/vmhost/qemuarg"
	"github.com/gantry-ci/gantry/vmhost/vm"
)

// check holds Check to being pure, and to saying which argument it refuses.
func check(t *testing.T, b Backend) {
	probed := func(context.Context) kvm.Result {
		t.Error("KVM is probed")
		return kvm.Result{}
	}
	guests := b.New("conformance", probed)
	s := b.Spec("x")
	for name := range s.Images {
		s.Images[name] = "" // nobody knows yet
	}
	before := clone(s)
	for range 3 {
		if err := guests.Check(s); err != nil {
			t.Errorf("the spec is refused: %v", err)
		}
		for _, all := range [][]vm.Spec{nil, {s}, {s, clone(s)}} {
			if err := guests.CheckTogether(all); err != nil {
				t.Errorf("%d guests are refused: %v", len(all), err)
			}
		}
		for _, arg := range b.Refused {
			refused := clone(s)
			refused.Args = append(refused.Args, arg)
			err := guests.Check(refused)
			if e, ok := errors.AsType[*qemuarg.ArgumentError](err); !ok || e.Index != len(s.Args) || e.Argument == "" {
				t.Errorf("%q: got %v", arg, err)
			}
		}
	}
	if !reflect.DeepEqual(before, s) {
		t.Errorf("the spec was %+v and is %+v", before, s)
	}
	if _, err := guests.Guest("").Wait(t.Context()); !errors.Is(err, vm.ErrOff) {
		t.Errorf("wait for a guest that never was: %v", err)
	}
	described(t, b, s)
}

// described holds Describe to saying the same of the same spec, without its images.
func described(t *testing.T, b Backend, s vm.Spec) {
	t.Helper()
	g := b.New("conformance", noKVM).Guest("")
	first, err := g.Describe(t.Context(), s)
	if err != nil || first.Accel.Used != "tcg" || first.Accel.Why == "" {
		t.Errorf("described as %+v, %v", first, err)
	}
	if again, err := g.Describe(t.Context(), s); err != nil || !reflect.DeepEqual(first, again) {
		t.Errorf("described as %+v, then as %+v, %v", first, again, err)
	}
}

func clone(s vm.Spec) vm.Spec {
	s.Images, s.Args = maps.Clone(s.Images), slices.Clone(s.Args)
	return s
}

// names holds guests to their names and ids.
func names(t *testing.T, b Backend) {
	guests := b.New("conformance", noKVM)
	ids := map[string]bool{}
	for _, name := range []string{"", "a", "b", "B", "a name that is long and strange: ../é"} {
		g := guests.Guest(name)
		if guests.Guest(name) != g {
			t.Errorf("%q is another guest at the second call", name)
		}
		if g.ID() != vm.ID("conformance", name) || !vm.ValidID(g.ID()) {
			t.Errorf("%q has the id %q", name, g.ID())
		}
		ids[g.ID()] = true
	}
	if len(ids) != 5 {
		t.Errorf("the ids are %v", ids)
	}
}
