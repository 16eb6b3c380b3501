package junit_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/jobs/export"
	"github.com/gantry-ci/gantry/runner/testlog/junit"
)

// TestRoundTrip reads what is exported.
func TestRoundTrip(t *testing.T) {
	units, value, took := "ms", 1.5, 0.25
	want := []jobs.Case{
		{Suite: "0_smoke", Case: "ping & <pong>", Result: jobs.Pass, Measurement: &value, Units: &units, DurationS: &took},
		{Suite: "0_smoke", Case: "fails", Result: jobs.Fail, Message: "why"},
		{Suite: "0_smoke", Case: "skipped", Result: jobs.Skip, Message: "no net"},
	}
	var b bytes.Buffer
	if err := export.JUnit(&b, &jobs.Results{Cases: want, Verdict: jobs.Verdict{Verdict: jobs.VerdictPass}}); err != nil {
		t.Fatal(err)
	}
	p := junit.New("0_smoke")
	for i, line := range bytes.Split(b.Bytes(), []byte("\n")) {
		p.Line(line, i+1)
	}
	got := p.Close()
	if d := cmp.Diff(want, got[:len(got)-1], cmpopts.IgnoreFields(jobs.Case{}, "Set", "LogLine")); d != "" {
		t.Error(d)
	}
	if last := got[len(got)-1]; last.Case != "verdict" || last.Result != jobs.Pass {
		t.Errorf("the last case is %+v", last)
	}
}
