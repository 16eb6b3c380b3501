package queue

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gantry-ci/gantry/jobs/lab"
)

func TestAssign(t *testing.T) {
	qemu := func(id string, f ...func(*Target)) Target {
		t := Target{ID: id, Type: "qemu"}
		for _, f := range f {
			f(&t)
		}
		return t
	}
	tags := func(tags ...string) func(*Target) { return func(t *Target) { t.Tags = tags } }
	used := func(ms int64) func(*Target) { return func(t *Target) { t.Used = ms } }
	trust := func(l lab.Trust) func(*Target) { return func(t *Target) { t.Trust = l } }
	allow := func(p ...string) func(*Target) { return func(t *Target) { t.Repositories = p } }
	for name, c := range map[string]struct {
		runs    []Run
		targets []Target
		want    []Match
	}{
		"nothing": {},
		"first come, first served": {
			[]Run{{ID: "b", Type: "qemu", Created: 2}, {ID: "a", Type: "qemu", Created: 1}},
			[]Target{qemu("t")},
			[]Match{{"a", "t"}},
		},
		"priority before age": {
			[]Run{{ID: "old", Type: "qemu", Created: 1}, {ID: "urgent", Type: "qemu", Created: 2, Priority: 9}},
			[]Target{qemu("t")},
			[]Match{{"urgent", "t"}},
		},
		"a run that fits nowhere holds nobody up": {
			[]Run{{ID: "a", Type: "rpi4", Created: 1}, {ID: "b", Type: "qemu", Created: 2}},
			[]Target{qemu("t")},
			[]Match{{"b", "t"}},
		},
		"all tags": {
			[]Run{{ID: "a", Type: "qemu", Tags: []string{"kvm", "big"}}},
			[]Target{qemu("t", tags("kvm")), qemu("u", tags("big", "x", "kvm"))},
			[]Match{{"a", "u"}},
		},
		"the special target is spared": {
			[]Run{{ID: "plain", Type: "qemu", Created: 1}, {ID: "special", Type: "qemu", Tags: []string{"kvm"}, Created: 2}},
			[]Target{qemu("k", tags("kvm")), qemu("p")},
			[]Match{{"plain", "p"}, {"special", "k"}},
		},
		"the longest unused": {
			[]Run{{ID: "a", Type: "qemu"}},
			[]Target{qemu("t", used(5)), qemu("u", used(3))},
			[]Match{{"a", "u"}},
		},
		"another target for the second attempt": {
			[]Run{{ID: "a", Type: "qemu", Avoid: "t"}},
			[]Target{qemu("t"), qemu("u", used(9), tags("x"))},
			[]Match{{"a", "u"}},
		},
		"the same target when there is no other": {
			[]Run{{ID: "a", Type: "qemu", Avoid: "t"}},
			[]Target{qemu("t")},
			[]Match{{"a", "t"}},
		},
		"too little trust": {
			[]Run{
				{ID: "a", Type: "qemu", Trust: lab.Untrusted},
				{ID: "b", Type: "qemu", Trust: lab.Approved},
				{ID: "c", Type: "qemu", Trust: "nonsense"},
			},
			[]Target{qemu("t", trust(lab.Approved)), qemu("u", trust("nonsense"))},
			[]Match{{"b", "t"}},
		},
		"allow-list": {
			[]Run{{ID: "a", Type: "qemu", Repository: "evil/linux"}, {ID: "b", Type: "qemu", Repository: "good/linux"}},
			[]Target{qemu("t", allow("good/*")), qemu("u", allow("[")), qemu("v", allow("other/x"))},
			[]Match{{"b", "t"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Assign(c.runs, c.targets)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// For any runs and targets: no target and no run is matched twice, matches fit, and no possible match is left out.
func TestAssignHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"a", "b", "c"})
		level := rapid.SampledFrom([]lab.Trust{"", lab.Untrusted, lab.Approved, lab.Trusted})
		id := 0
		next := func() string { id++; return string(rune('A' + id)) }
		targets := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Target {
			return Target{
				ID: next(), Type: word.Draw(t, "type"), Tags: rapid.SliceOfN(word, 0, 3).Draw(t, "tags"),
				Trust: level.Draw(t, "trust"),
			}
		}), 0, 12).Draw(t, "targets")
		runs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Run {
			return Run{
				ID: next(), Type: word.Draw(t, "type"), Tags: rapid.SliceOfN(word, 0, 2).Draw(t, "tags"),
				Trust:    level.Draw(t, "trust"),
				Priority: rapid.Int64Range(0, 2).Draw(t, "priority"),
			}
		}), 0, 12).Draw(t, "runs")
		run, target := map[string]Run{}, map[string]Target{}
		for _, r := range runs {
			run[r.ID] = r
		}
		for _, x := range targets {
			target[x.ID] = x
		}
		for _, m := range Assign(runs, targets) {
			r, ok := run[m.Run]
			x, free := target[m.Target]
			if !ok || !free || !Fits(r, x) {
				t.Fatalf("bad match %v", m)
			}
			delete(run, m.Run)
			delete(target, m.Target)
		}
		for _, r := range run {
			for _, x := range target {
				if Fits(r, x) {
					t.Fatalf("%v waits while %v is idle", r, x)
				}
			}
		}
	})
}
