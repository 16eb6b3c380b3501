package results

import (
	"errors"
)

// PipelineSuite is the suite of the pipeline's own steps, and of each definition as a whole.
const PipelineSuite = "lava"

// Verdicts of a run.
const (
	VerdictPass       = "pass"
	VerdictFail       = "fail"
	VerdictIncomplete = "incomplete"
	VerdictCanceled   = "canceled"
)

// MaxEvidence is how much evidence a verdict names; who wants all of it has the cases and findings.
const MaxEvidence = 20

// Decide is the one place that turns an outcome into a verdict: err is what ended the run, if anything did; cases and
// findings are what it reported until then.
//
//	class           verdict
//	""              pass
//	test            fail, or incomplete when results are missing
//	job             fail
//	canceled        canceled
//	others          incomplete
//
// The class is err's. Without err, a failed case or a known failure that passed is class test; else a finding that
// broke the system is, when it fell during a test, and class job before; else missing results are the lab's. Such a
// finding also explains a timeout, a console that broke off, and results that stopped without a known cause: the
// culprit is named, not what it led to. A false alarm of emulation is the lab's, unless there is another finding; one
// of a boot that was tried again is only told. Known failures do not count; no list masks a finding but the kernel
// log's own.
func Decide(err error, cases []Case, findings ...Finding) Verdict {
	t := tally(cases, findings)
	lost := (*MissingError)(nil)
	errors.As(err, &lost)
	class, message := t.class(err, lost)
	v := Verdict{Verdict: VerdictIncomplete, Class: class, Message: message, Complete: lost == nil && len(t.missing) == 0}
	switch class {
	case "":
		v.Verdict = VerdictPass
	case ClassTest:
		if v.Complete {
			v.Verdict = VerdictFail
		}
	case ClassJob:
		v.Verdict, v.Complete = VerdictFail, false
	case ClassCanceled:
		v.Verdict, v.Complete = VerdictCanceled, false
	default:
		v.Complete = false
	}
	v.Evidence = t.evidence(v, err)
	return v
}

// class is whose fault the outcome is, and why.
func (t *sums) class(err error, lost *MissingError) (Class, string) {
	unexplained := err == nil || lost != nil && lost.Cause == nil
	class := ClassOf(err)
	switch {
	case unexplained && len(t.failed) > 0:
		return ClassTest, t.failure()
	case len(t.broke) > 0 && (unexplained || class == ClassTimeout || class == ClassInfrastructure):
		f := t.broke[0]
		message := f.String()
		if err != nil {
			message += "; then " + err.Error()
		}
		return f.Class(), message
	case err != nil && unexplained:
		return ClassInfrastructure, err.Error()
	case err != nil:
		return class, err.Error()
	case len(t.missing) > 0:
		return ClassInfrastructure, t.absence()
	}
	return "", ""
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
