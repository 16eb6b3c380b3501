package queue

import (
	"fmt"
	"slices"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

// Record is what the app has of an attempt: the verdict among the events that arrived, and what is missing of them.
type Record struct {
	Verdict     results.Verdict
	Size, Whole int64 // bytes of events that arrived, and that the runner wrote
	Gaps        int   // places where events are missing or cannot be read
}

// damage says what the record lacks; "" is nothing.
func (r Record) damage() string {
	switch {
	case r.Size < r.Whole:
		return fmt.Sprintf("%d of %d bytes of the run's events arrived", r.Size, r.Whole)
	case r.Gaps > 0:
		return fmt.Sprintf("the run's events have %d gaps", r.Gaps)
	}
	return ""
}

// Verdict is the verdict of an attempt that its runner reports as o. An incomplete run never passes: a pass needs the
// whole record, and a record that itself says pass.
func Verdict(o lab.Outcome, r Record) results.Verdict {
	v := results.Verdict{Verdict: o.Verdict, Class: results.Class(o.Class), Message: o.Message, Complete: o.Complete}
	if r.Verdict.Class == v.Class {
		v.Evidence = r.Verdict.Evidence[:min(len(r.Verdict.Evidence), results.MaxEvidence)]
	}
	damage := r.damage()
	switch {
	case !consistent(v):
		return Interrupted("the runner's verdict makes no sense: " + o.Verdict + ", class " + o.Class)
	case damage == "" && v.Verdict == results.VerdictPass && r.Verdict.Verdict != results.VerdictPass:
		return Interrupted("the runner says pass, its record does not")
	case damage == "":
		return v
	case v.Verdict == results.VerdictPass:
		return Interrupted(damage)
	case v.Class == results.ClassTest:
		v.Verdict = results.VerdictIncomplete
	}
	v.Complete, v.Message = false, v.Message+"; "+damage
	return v
}

// Interrupted is the verdict of an attempt that the lab spoiled.
func Interrupted(why string) results.Verdict {
	why = lab.Clip(why)
	return results.Verdict{
		Verdict: results.VerdictIncomplete, Class: results.ClassInfrastructure, Message: why,
		Evidence: []results.Evidence{
			{Kind: results.EvidenceStep, Name: "record", Class: results.ClassInfrastructure, Message: why},
		},
	}
}

// consistent reports whether class and verdict belong together, as results.Decide pairs them.
func consistent(v results.Verdict) bool {
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
