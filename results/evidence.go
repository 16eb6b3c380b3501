package results

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/internal/plaintext"
)

// maxEvidenceMessage bounds a message of evidence, in bytes: the whole one is where the evidence is.
const maxEvidenceMessage = 500

// sums are what decides among cases and findings.
type sums struct {
	failed  []Case    // of the users' suites: failed, or passed though known to fail
	missing []Case    // of every suite
	broke   []Finding // what broke the system, false alarms of emulation last
	other   []Finding // the rest
	passed  int
	known   int
	flaky   int
}

func tally(cases []Case, findings []Finding) *sums {
	t := &sums{}
	for _, c := range cases {
		switch {
		case c.Result == Missing:
			t.missing = append(t.missing, c)
		case c.Suite == PipelineSuite:
		case c.Fails():
			t.failed = append(t.failed, c)
		case c.Result == Pass:
			t.passed++
		}
		if c.HasNote(NoteKnown) {
			t.known++
		}
		if c.HasNote(NoteFlaky) {
			t.flaky++
		}
	}
	for _, f := range findings {
		if f.Breaks() {
			t.broke = append(t.broke, f)
		} else {
			t.other = append(t.other, f)
		}
	}
	slices.SortStableFunc(t.broke, func(a, b Finding) int {
		switch {
		case a.Emulation == b.Emulation:
			return 0
		case a.Emulation:
			return 1
		}
		return -1
	})
	return t
}

// failure names the first case that failed, counts the others, and names what broke the system.
func (t *sums) failure() string {
	c := t.failed[0]
	s := c.Name() + " failed"
	if c.Result == Pass {
		s = c.Name() + " passed, though it is a known failure"
	}
	if n := len(t.failed) - 1; n > 0 {
		s += fmt.Sprintf(", and %d more", n)
	}
	if len(t.broke) > 0 {
		s += "; " + t.broke[0].String()
	}
	return s
}

func (t *sums) absence() string {
	c := t.missing[0]
	s := c.Name() + " is missing"
	if c.Message != "" {
		s += ": " + c.Message
	}
	if n := len(t.missing) - 1; n > 0 {
		s = fmt.Sprintf("%d results are missing: %s", n+1, s)
	}
	return s
}

// evidence is what v rests on, the most important first.
func (t *sums) evidence(v Verdict, err error) []Evidence {
	l := &evidenceList{}
	if v.Class == "" {
		l.add(Evidence{Kind: EvidenceCount, Name: t.count()})
		l.overcome(t.other)
		return l.all
	}
	broke := t.broke
	first := len(broke) > 0 && v.Class == broke[0].Class()
	if i := cause(broke, err); i >= 0 { // the step's message is the finding: one piece of evidence, not two
		f, step := broke[i], stepEvidence(err)
		l.add(findingEvidence(f, f.Class(), "it ended "+step.Name))
		broke, err = slices.Concat(broke[:i], broke[i+1:]), nil
	}
	if first {
		l.findings(broke)
	}
	if err != nil {
		l.add(stepEvidence(err))
	}
	for _, c := range t.failed {
		l.add(caseEvidence(c, ClassTest))
	}
	if !first {
		l.findings(broke)
	}
	for _, c := range t.missing {
		l.add(caseEvidence(c, ""))
	}
	if v.Class == ClassTimeout { // a stall or a hung task may be why
		for _, f := range t.other {
			if !f.Superseded {
				l.add(findingEvidence(f, "", f.Allowed))
			}
		}
	}
	l.overcome(t.other)
	return l.all
}

// evidenceList is evidence in its order, bounded.
type evidenceList struct{ all []Evidence }

func (l *evidenceList) add(e Evidence) {
	if len(l.all) < MaxEvidence {
		e.Message = plaintext.Clip(e.Message, maxEvidenceMessage)
		l.all = append(l.all, e)
	}
}

// findings adds findings that broke the system.
func (l *evidenceList) findings(all []Finding) {
	for _, f := range all {
		l.add(findingEvidence(f, f.Class(), ""))
	}
}

// overcome adds the findings of boots that were tried again.
func (l *evidenceList) overcome(all []Finding) {
	for _, f := range all {
		if f.Superseded {
			l.add(findingEvidence(f, "", "before a step was tried again"))
		}
	}
}

// cause is the finding that ended the step which err ended, by its index; -1 when it was something else.
func cause(broke []Finding, err error) int {
	s := (*StepError)(nil)
	if !errors.As(err, &s) {
		return -1
	}
	return slices.IndexFunc(broke, func(f Finding) bool { return strings.HasPrefix(s.Err.Error(), f.String()) })
}

func findingEvidence(f Finding, class Class, message string) Evidence {
	if f.Denied != "" {
		message = strings.TrimPrefix(message+"; denied: "+f.Denied, "; ")
	}
	return Evidence{
		Kind: EvidenceFinding, Name: f.Title, Class: class, LogLine: f.Line, Log: f.File, Message: message,
	}
}

func (t *sums) count() string {
	parts := []string{fmt.Sprintf("%d passed", t.passed)}
	for _, p := range []struct {
		n    int
		what string
	}{{t.known, "known to fail"}, {t.flaky, "flaky"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}

func caseEvidence(c Case, class Class) Evidence {
	e := Evidence{Kind: EvidenceCase, Name: c.Name(), Result: c.Result, Class: class, Message: c.Message}
	if c.HasNote(NoteUnexpectedPass) {
		e.Message = strings.TrimSuffix("it is a known failure: "+c.Known+"; "+c.Message, "; ")
	}
	if c.LogLine != nil {
		e.LogLine, e.Log = *c.LogLine, c.Log
	}
	return e
}

// stepEvidence is the step that err ended.
func stepEvidence(err error) Evidence {
	e := Evidence{Kind: EvidenceStep, Name: "job", Class: ClassOf(err), Message: err.Error()}
	if s := (*StepError)(nil); errors.As(err, &s) {
		e.Name, e.Message = s.Level+" "+s.Name, s.Err.Error()
	}
	return e
}
