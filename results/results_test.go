package results_test

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/results"
)

// TestFlakyMessage keeps what a flaky case did when it failed, however often it passes after.
func TestFlakyMessage(t *testing.T) {
	r := results.NewResults()
	for try, result := range []string{results.Fail, results.Pass, results.Pass} {
		r.Apply(results.Event{Case: &results.Case{Suite: "0_s", Case: "x", Result: result, Try: try + 1}})
	}
	if len(r.Cases) != 1 || r.Cases[0].Result != results.Pass || r.Cases[0].Note != results.NoteFlaky ||
		r.Cases[0].Message != "another run of it: fail" {
		t.Errorf("got %+v", r.Cases)
	}
}

// BenchmarkTries folds a suite that was run twice, with every case of one name and each of its own.
func BenchmarkTries(b *testing.B) {
	const cases = 100_000
	for _, names := range []int{1, cases} {
		b.Run("names="+strconv.Itoa(names), func(b *testing.B) {
			for b.Loop() {
				r := results.NewResults()
				for i := range 2 * cases {
					c := results.Case{Suite: "0_suite", Case: strconv.Itoa(i % names), Result: results.Fail, Try: i / cases * 2}
					r.Apply(results.Event{Case: &c})
				}
				if len(r.Cases) != cases {
					b.Fatal(len(r.Cases))
				}
			}
		})
	}
}

// A retry of one system's boot does not excuse what broke another system meanwhile.
func TestSupersededNamespace(t *testing.T) {
	r := results.NewResults()
	try := func(n int) results.Event {
		return results.Event{Level: "4.1", Step: &results.Step{Name: "login-action", Try: n, Namespace: "two"}}
	}
	broke := func(namespace, section string) results.Event {
		return results.Event{Finding: &results.Finding{
			Kind: "panic", Title: "kernel panic: " + namespace + section, Fatal: true, Section: section, Namespace: namespace,
		}}
	}
	for _, e := range []results.Event{
		try(1), broke("two", "boot"), broke("", "boot"), broke("one", "test"), broke("two", "test"), try(2),
	} {
		r.Apply(e)
	}
	var superseded []bool
	for _, f := range r.Findings {
		superseded = append(superseded, f.Superseded)
	}
	if diff := cmp.Diff([]bool{true, false, false, false}, superseded); diff != "" {
		t.Error(diff)
	}
	if v := results.Decide(nil, r.Cases, r.Findings...); v.Verdict == results.VerdictPass {
		t.Errorf("a crash of another system passes: %+v", v)
	}
}
