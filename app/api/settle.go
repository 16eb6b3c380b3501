package api

import (
	"slices"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

// settle is the verdict on an attempt of which the runner says o and its events recorded; cut says what of the record
// did not arrive. An incomplete run never passes: a pass needs the whole record, and a record that says so itself.
func settle(o lab.Outcome, recorded results.Verdict, cut string) results.Verdict {
	v := results.Verdict{Verdict: o.Verdict, Class: results.Class(o.Class), Message: o.Message, Complete: o.Complete}
	if recorded.Class == v.Class {
		v.Evidence = recorded.Evidence[:min(len(recorded.Evidence), results.MaxEvidence)]
	}
	switch {
	case !sound(v):
		return labFault("the runner's verdict makes no sense: " + o.Verdict + ", class " + o.Class)
	case cut == "" && v.Verdict == results.VerdictPass && recorded.Verdict != results.VerdictPass:
		return labFault("the runner says pass, its record does not")
	case cut == "":
		return v
	case v.Verdict == results.VerdictPass:
		return labFault(cut)
	case v.Class == results.ClassTest:
		v.Verdict = results.VerdictIncomplete
	}
	v.Complete, v.Message = false, v.Message+"; "+cut
	return v
}

// labFault is the lab's failure.
func labFault(why string) results.Verdict {
	why = lab.Clip(why)
	return results.Verdict{
		Verdict: results.VerdictIncomplete, Class: results.ClassInfrastructure, Message: why,
		Evidence: []results.Evidence{
			{Kind: results.EvidenceStep, Name: "record", Class: results.ClassInfrastructure, Message: why},
		},
	}
}

// sound says whether class and verdict belong together, as in jobs.Decide.
func sound(v results.Verdict) bool {
	verdicts := map[results.Class][]string{
		"":                          {results.VerdictPass},
		results.ClassTest:           {results.VerdictFail, results.VerdictIncomplete},
		results.ClassJob:            {results.VerdictFail},
		results.ClassCanceled:       {results.VerdictCanceled},
		results.ClassInfrastructure: {results.VerdictIncomplete},
		results.ClassTimeout:        {results.VerdictIncomplete},
		results.ClassBug:            {results.VerdictIncomplete},
	}[v.Class]
	return slices.Contains(verdicts, v.Verdict) && (v.Class != "" || v.Complete)
}
