package api

import (
	"testing"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/jobs/rpc"
)

func TestSettle(t *testing.T) {
	pass := jobs.Verdict{Verdict: jobs.VerdictPass, Complete: true}
	said := func(verdict string, class jobs.Class, complete bool) rpc.Outcome {
		return rpc.Outcome{Verdict: verdict, Class: string(class), Message: "m", Complete: complete}
	}
	for what, c := range map[string]struct {
		said     rpc.Outcome
		recorded jobs.Verdict
		cut      string
		verdict  string
		class    jobs.Class
	}{
		"a pass":                    {said("pass", "", true), pass, "", "pass", ""},
		"a pass not recorded":       {said("pass", "", true), jobs.Verdict{}, "", "incomplete", "infrastructure"},
		"a pass, recorded as fail":  {said("pass", "", true), jobs.Verdict{Verdict: "fail"}, "", "incomplete", "infrastructure"},
		"a pass with a cut record":  {said("pass", "", true), pass, "cut", "incomplete", "infrastructure"},
		"an incomplete pass":        {said("pass", "", false), pass, "", "incomplete", "infrastructure"},
		"a pass with a class":       {said("pass", "test", true), pass, "", "incomplete", "infrastructure"},
		"a fail without one":        {said("fail", "", true), pass, "", "incomplete", "infrastructure"},
		"a fail":                    {said("fail", "test", true), jobs.Verdict{}, "", "fail", "test"},
		"a fail with a cut record":  {said("fail", "test", true), jobs.Verdict{}, "cut", "incomplete", "test"},
		"a bad job, record cut":     {said("fail", "job", false), jobs.Verdict{}, "cut", "fail", "job"},
		"canceled":                  {said("canceled", "canceled", false), jobs.Verdict{}, "", "canceled", "canceled"},
		"the lab":                   {said("incomplete", "infrastructure", false), pass, "", "incomplete", "infrastructure"},
		"a class of the future":     {said("fail", "karma", false), pass, "", "incomplete", "infrastructure"},
		"a verdict of the future":   {said("maybe", "", true), pass, "", "incomplete", "infrastructure"},
		"nothing at all":            {rpc.Outcome{}, jobs.Verdict{}, "", "incomplete", "infrastructure"},
		"timeout with a cut record": {said("incomplete", "timeout", false), jobs.Verdict{}, "cut", "incomplete", "timeout"},
	} {
		got := settle(c.said, c.recorded, c.cut)
		if got.Verdict != c.verdict || got.Class != c.class || got.Complete && (c.cut != "" || got.Verdict == jobs.VerdictIncomplete) {
			t.Errorf("%s: %+v", what, got)
		}
	}
}

// TestSettleEvidence keeps what the record's verdict rests on, while it is the one that holds.
func TestSettleEvidence(t *testing.T) {
	recorded := jobs.Decide(nil, []jobs.Case{{Suite: "0_s", Case: "x", Result: jobs.Fail}})
	fail := rpc.Outcome{Verdict: "fail", Class: "test", Message: "m", Complete: true}
	if got := settle(fail, recorded, ""); len(got.Evidence) != 1 || got.Evidence[0].Name != "0_s/x" {
		t.Errorf("%+v", got)
	}
	if got := settle(rpc.Outcome{Verdict: "pass", Complete: true}, recorded, ""); len(got.Evidence) != 1 || got.Evidence[0].Class != jobs.ClassInfrastructure {
		t.Errorf("%+v", got)
	}
}
