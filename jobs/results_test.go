package jobs_test

import (
	"strconv"
	"testing"

	"github.com/gantry-ci/gantry/jobs"
)

// BenchmarkTries folds a suite that was run twice, with every case of one name and each of its own.
func BenchmarkTries(b *testing.B) {
	const cases = 100_000
	for _, names := range []int{1, cases} {
		b.Run("names="+strconv.Itoa(names), func(b *testing.B) {
			for b.Loop() {
				r := jobs.NewResults()
				for i := range 2 * cases {
					c := jobs.Case{Suite: "0_suite", Case: strconv.Itoa(i % names), Result: jobs.Fail, Try: i / cases * 2}
					r.Apply(jobs.Event{Case: &c})
				}
				if len(r.Cases) != cases {
					b.Fatal(len(r.Cases))
				}
			}
		})
	}
}
