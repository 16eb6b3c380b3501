package api

import (
	"slices"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/jobs/rpc"
)

// settle is the verdict on an attempt of which the runner says o and its events recorded; cut says what of the record
// did not arrive. An incomplete run never passes: a pass needs the whole record, and a record that says so itself.
func settle(o rpc.Outcome, recorded jobs.Verdict, cut string) jobs.Verdict {
	v := jobs.Verdict{Verdict: o.Verdict, Class: jobs.Class(o.Class), Message: o.Message, Complete: o.Complete}
	if recorded.Class == v.Class {
		v.Evidence = recorded.Evidence[:min(len(recorded.Evidence), jobs.MaxEvidence)]
	}
	switch {
	case !sound(v):
		return labFault("the runner's verdict makes no sense: " + o.Verdict + ", class " + o.Class)
	case cut == "" && v.Verdict == jobs.VerdictPass && recorded.Verdict != jobs.VerdictPass:
		return labFault("the runner says pass, its record does not")
	case cut == "":
		return v
	case v.Verdict == jobs.VerdictPass:
		return labFault(cut)
	case v.Class == jobs.ClassTest:
		v.Verdict = jobs.VerdictIncomplete
	}
	v.Complete, v.Message = false, v.Message+"; "+cut
	return v
}

// labFault is the lab's failure.
func labFault(why string) jobs.Verdict {
	why = rpc.Clip(why)
	return jobs.Verdict{
		Verdict: jobs.VerdictIncomplete, Class: jobs.ClassInfrastructure, Message: why,
		Evidence: []jobs.Evidence{{Kind: jobs.EvidenceStep, Name: "record", Class: jobs.ClassInfrastructure, Message: why}},
	}
}

// sound says whether class and verdict belong together, as in jobs.Decide.
func sound(v jobs.Verdict) bool {
	verdicts := map[jobs.Class][]string{
		"":                       {jobs.VerdictPass},
		jobs.ClassTest:           {jobs.VerdictFail, jobs.VerdictIncomplete},
		jobs.ClassJob:            {jobs.VerdictFail},
		jobs.ClassCanceled:       {jobs.VerdictCanceled},
		jobs.ClassInfrastructure: {jobs.VerdictIncomplete},
		jobs.ClassTimeout:        {jobs.VerdictIncomplete},
		jobs.ClassBug:            {jobs.VerdictIncomplete},
	}[v.Class]
	return slices.Contains(verdicts, v.Verdict) && (v.Class != "" || v.Complete)
}
