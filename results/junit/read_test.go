package junit_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/export"
	"github.com/gantry-ci/gantry/results/junit"
)

// TestRoundTrip reads what is exported.
func TestRoundTrip(t *testing.T) {
	units, value, took := "ms", 1.5, 0.25
	want := []results.Case{
		{Suite: "0_smoke", Case: "ping & <pong>", Result: results.Pass, Measurement: &value, Units: &units, DurationS: &took},
		{Suite: "0_smoke", Case: "fails", Result: results.Fail, Message: "why"},
		{Suite: "0_smoke", Case: "skipped", Result: results.Skip, Message: "no net"},
	}
	var b bytes.Buffer
	if err := export.JUnit(
		&b, &results.Results{Cases: want, Verdict: results.Verdict{Verdict: results.VerdictPass}},
	); err != nil {
		t.Fatal(err)
	}
	p := junit.New("0_smoke")
	for i, line := range bytes.Split(b.Bytes(), []byte("\n")) {
		p.Line(line, i+1)
	}
	got := p.Close()
	if d := cmp.Diff(want, got[:len(got)-1], cmpopts.IgnoreFields(results.Case{}, "Set", "LogLine")); d != "" {
		t.Error(d)
	}
	if last := got[len(got)-1]; last.Case != "verdict" || last.Result != results.Pass {
		t.Errorf("the last case is %+v", last)
	}
}
