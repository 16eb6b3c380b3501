package lavaequal

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCompare holds that a result which one of the two lost, doubled, put elsewhere or changed is a difference, that
// only a listed one is excused, and that one which is listed must come.
func TestCompare(t *testing.T) {
	it := func(suite, name, result string) Result { return Result{Suite: suite, Case: name, Result: result} }
	same := it("0_s", "same", "pass")
	lava := []Result{
		same, it("0_s", "changed", "pass"), it("0_s", "moved", "fail"), it("0_s", "doubled", "pass"),
		it("0_s", "doubled", "pass"),
	}
	gantry := []Result{
		same, it("0_s", "changed", "fail"), it("1_t", "moved", "fail"), it("0_s", "doubled", "pass"),
		it("0_s", "lost", "fail"),
	}
	differences, equal := compare(lava, gantry)
	want := of(
		Difference{}, "0_s/changed|pass|fail", "0_s/moved|fail|", "0_s/doubled#2|pass|", "1_t/moved||fail", "0_s/lost||fail",
	)
	if d := cmp.Diff(want, differences); d != "" || equal != 2 {
		t.Errorf("equal %d, differences (-want +got):\n%s", equal, d)
	}
	list := append(of(Difference{Why: "known"}, "0_s/l*||fail", "0_s/changed|fail|pass"), of(Difference{
		Why: "luck", Chance: true,
	}, "0_s/never||pass")...)
	refused, gone := excuse(list, differences)
	if len(refused) != 4 || differences[4].Why != "known" {
		t.Errorf("refused %v of %v", refused, differences)
	}
	if len(gone) != 1 || gone[0].Case != "0_s/changed" {
		t.Errorf("gone %v", gone)
	}
}
