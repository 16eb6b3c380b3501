package jobs

import (
	"errors"
	"fmt"
	"strings"
)

// sums are what decides among cases and findings.
type sums struct {
	failed  []Case    // of the users' suites: failed, or passed though known to fail
	missing []Case    // of every suite
	broke   []Finding // what broke the system
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
		if c.Noted(NoteKnown) {
			t.known++
		}
		if c.Noted(NoteFlaky) {
			t.flaky++
		}
	}
	for _, f := range findings {
		if f.breaks() {
			t.broke = append(t.broke, f)
		} else {
			t.other = append(t.other, f)
		}
	}
	return t
}

// failure names the first case that failed, and counts the others; what broke the system beside them is told, too.
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
		s += fmt.Sprintf("; %s (console.log:%d)", t.broke[0].Title, t.broke[0].Line)
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

// evidence is what v rests on, the most telling first.
func (t *sums) evidence(v Verdict, err error) []Evidence {
	var all []Evidence
	add := func(e Evidence) {
		if len(all) < MaxEvidence {
			e.Message = clip(e.Message)
			all = append(all, e)
		}
	}
	findings := func(fs []Finding, class func(Finding) Class) {
		for _, f := range fs {
			add(Evidence{Kind: EvidenceFinding, Name: f.Title, Class: class(f), LogLine: f.Line, Message: f.Allowed})
		}
	}
	if v.Class == "" {
		return []Evidence{{Kind: EvidenceCount, Name: t.count()}}
	}
	first := len(t.broke) > 0 && v.Class == t.broke[0].class()
	if first {
		findings(t.broke, Finding.class)
	}
	if err != nil {
		add(stepEvidence(err))
	}
	for _, c := range t.failed {
		add(caseEvidence(c, ClassTest))
	}
	if !first {
		findings(t.broke, Finding.class)
	}
	for _, c := range t.missing {
		add(caseEvidence(c, ""))
	}
	if v.Class == ClassTimeout { // a stall or a hung task may be why
		findings(t.other, func(Finding) Class { return "" })
	}
	return all
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
	if c.LogLine != nil {
		e.LogLine = *c.LogLine
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

// clip bounds a message of evidence: the whole one is where the evidence is.
func clip(s string) string {
	const most = 500 // bytes
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
