package jobs

import "fmt"

// PipelineSuite is the suite of the pipeline's own steps.
const PipelineSuite = "lava"

// Verdicts of a run.
const (
	VerdictPass       = "pass"
	VerdictFail       = "fail"
	VerdictIncomplete = "incomplete"
	VerdictCanceled   = "canceled"
)

// Decide is the one place that turns an outcome into a verdict: err is what ended the run, if anything did.
//
//	class           verdict
//	""              pass
//	test, job       fail
//	canceled        canceled
//	others          incomplete
//
// Results missing without a known cause are the lab's (infrastructure); class test with results missing is incomplete.
// An incomplete run never passes.
func Decide(err error, cases []Case) Verdict {
	class, message := ClassOf(err), ""
	if err != nil {
		message = err.Error()
	}
	failed, missing := tally(cases)
	if err == nil {
		switch {
		case failed != "":
			class, message = ClassTest, failed
		case missing > 0:
			class, message = ClassInfrastructure, fmt.Sprintf("%d results are missing", missing)
		}
	}
	v := Verdict{Class: class, Message: message, Complete: missing == 0}
	switch {
	case class == "":
		v.Verdict = VerdictPass
	case class == ClassCanceled:
		v.Verdict, v.Complete = VerdictCanceled, false
	case class == ClassTest && !v.Complete:
		v.Verdict = VerdictIncomplete
	case class == ClassTest:
		v.Verdict = VerdictFail
	case class == ClassJob:
		v.Verdict, v.Complete = VerdictFail, false
	default:
		v.Verdict, v.Complete = VerdictIncomplete, false
	}
	return v
}

// tally names the failed cases and counts the missing ones.
func tally(cases []Case) (failed string, missing int) {
	n := 0
	for _, c := range cases {
		switch {
		case c.Suite == PipelineSuite:
		case c.Result == Fail:
			if n++; n == 1 {
				failed = c.Suite + "/" + c.Case + " failed"
			}
		case c.Result == Missing:
			missing++
		}
	}
	if n > 1 {
		failed += fmt.Sprintf(", and %d more", n-1)
	}
	return failed, missing
}

// ExitCode is what gantry run exits with.
func (v Verdict) ExitCode() int {
	switch v.Class {
	case "":
		return 0
	case ClassTest:
		return 1
	case ClassInfrastructure:
		return 3
	case ClassTimeout, ClassCanceled:
		return 4
	case ClassJob:
		return 5
	default:
		return 6
	}
}
