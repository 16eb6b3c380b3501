package results_test

import (
	"strconv"
	"testing"

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
