package queue

import (
	"testing"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

func TestVerdict(t *testing.T) {
	pass := results.Verdict{Verdict: results.VerdictPass, Complete: true}
	said := func(verdict string, class results.Class, complete bool) lab.Outcome {
		return lab.Outcome{Verdict: verdict, Class: string(class), Message: "m", Complete: complete}
	}
	for what, c := range map[string]struct {
		said     lab.Outcome
		recorded results.Verdict
		cut      string
		verdict  string
		class    results.Class
	}{
		"a pass":              {said("pass", "", true), pass, "", "pass", ""},
		"a pass not recorded": {said("pass", "", true), results.Verdict{}, "", "incomplete", "infrastructure"},
		"a pass, recorded as fail": {
			said("pass", "", true), results.Verdict{Verdict: "fail"}, "", "incomplete", "infrastructure",
		},
		"a pass with a cut record": {said("pass", "", true), pass, "cut", "incomplete", "infrastructure"},
		"an incomplete pass":       {said("pass", "", false), pass, "", "incomplete", "infrastructure"},
		"a pass with a class":      {said("pass", "test", true), pass, "", "incomplete", "infrastructure"},
		"a fail without one":       {said("fail", "", true), pass, "", "incomplete", "infrastructure"},
		"a fail":                   {said("fail", "test", true), results.Verdict{}, "", "fail", "test"},
		"a fail with a cut record": {said("fail", "test", true), results.Verdict{}, "cut", "incomplete", "test"},
		"a bad job, record cut":    {said("fail", "job", false), results.Verdict{}, "cut", "fail", "job"},
		"canceled":                 {said("canceled", "canceled", false), results.Verdict{}, "", "canceled", "canceled"},
		"the lab":                  {said("incomplete", "infrastructure", false), pass, "", "incomplete", "infrastructure"},
		"a class of the future":    {said("fail", "karma", false), pass, "", "incomplete", "infrastructure"},
		"a verdict of the future":  {said("maybe", "", true), pass, "", "incomplete", "infrastructure"},
		"nothing at all":           {lab.Outcome{}, results.Verdict{}, "", "incomplete", "infrastructure"},
		"timeout with a cut record": {
			said("incomplete", "timeout", false), results.Verdict{}, "cut", "incomplete", "timeout",
		},
	} {
		r := Record{Verdict: c.recorded, Size: 9, Whole: 9}
		if c.cut != "" {
			r.Size = 8
		}
		got := Verdict(c.said, r)
		if got.Verdict != c.verdict || got.Class != c.class ||
			got.Complete && (c.cut != "" || got.Verdict == results.VerdictIncomplete) {
			t.Errorf("%s: %+v", what, got)
		}
	}
}

// TestVerdictEvidence: the record's evidence is kept while the record's verdict is the one that holds.
func TestVerdictEvidence(t *testing.T) {
	recorded := results.Decide(nil, []results.Case{{Suite: "0_s", Case: "x", Result: results.Fail}})
	fail := lab.Outcome{Verdict: "fail", Class: "test", Message: "m", Complete: true}
	if got := Verdict(fail, Record{Verdict: recorded}); len(got.Evidence) != 1 || got.Evidence[0].Name != "0_s/x" {
		t.Errorf("%+v", got)
	}
	if got := Verdict(lab.Outcome{Verdict: "pass", Complete: true}, Record{Verdict: recorded}); len(got.Evidence) != 1 ||
		got.Evidence[0].Class != results.ClassInfrastructure {
		t.Errorf("%+v", got)
	}
}

// TestVerdictDamage: the verdict says what of the record is missing.
func TestVerdictDamage(t *testing.T) {
	fail := lab.Outcome{Verdict: "fail", Class: "test", Message: "m", Complete: true}
	for want, r := range map[string]Record{
		"m": {Size: 9, Whole: 9},
		"m; 8 of 9 bytes of the run's events arrived": {Size: 8, Whole: 9, Gaps: 1},
		"m; the run's events have 2 gaps":             {Size: 9, Whole: 9, Gaps: 2},
	} {
		if got := Verdict(fail, r); got.Message != want || got.Complete != (want == "m") {
			t.Errorf("%+v: %+v", r, got)
		}
	}
}
