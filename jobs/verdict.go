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

// Decide is the one place that turns an outcome into a verdict: err is what ended the run, if anything did; cases and
// findings are what it reported until then.
//
//	class           verdict
//	""              pass
//	test, job       fail
//	canceled        canceled
//	others          incomplete
//
// Results missing without a known cause are the lab's (infrastructure); class test with results missing is incomplete.
// An incomplete run never passes.
func Decide(err error, cases []Case, findings ...Finding) Verdict {
	class, message := ClassOf(err), ""
	if err != nil {
		message = err.Error()
	}
	failed, missing := tally(cases)
	if err == nil {
		broken, title := broke(findings)
		switch {
		case failed != "":
			class, message = ClassTest, failed
		case broken != "":
			class, message = broken, title
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

// broke finds what broke the system without ending it: an oops that killed a process, a use after free.
func broke(findings []Finding) (class Class, message string) {
	for _, f := range findings {
		if !f.breaks() {
			continue
		}
		if f.Section != "test" {
			return ClassJob, f.Title
		}
		return ClassTest, f.Title
	}
	return "", ""
}

// breaks says that after such a finding the system cannot be relied on. A warning, a stall or a leak is reported and
// counts only when the repository's deny list says so.
func (f Finding) breaks() bool {
	if f.Allowed != "" {
		return false
	}
	switch f.Kind {
	case "panic", "oops", "bug", "kasan", "kfence", "kmsan", "null-deref", "gpf", "soft-lockup", "hard-lockup", "reboot", "denied":
		return true
	}
	return f.Fatal
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
