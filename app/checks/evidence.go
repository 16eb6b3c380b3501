package checks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/results"
)

const (
	maxFindings = 20      // of a run that are listed
	maxReport   = 6 << 10 // bytes of a finding's console lines
	maxReports  = 3       // findings of a run whose console lines are shown: a summary has room for 65,535 bytes
)

// Evidence is what the run's verdict rests on, the most important first. There is none without a verdict, or while the
// verdict is not that of the results.
func (r Run) Evidence() []results.Evidence {
	if r.Results == nil || r.Results.Class != r.Class || r.Results.Verdict.Verdict != r.Verdict.Verdict {
		return nil
	}
	return r.Results.Evidence
}

// DecisiveFindings are the findings that the verdict rests on, in the order of the evidence.
func (r Run) DecisiveFindings() (decisive []results.Finding) {
	for _, e := range r.Evidence() {
		if e.Kind != results.EvidenceFinding || e.Class == "" {
			continue
		}
		i := slices.IndexFunc(r.Results.Findings, func(f results.Finding) bool {
			return f.File == e.Log && f.Line == e.LogLine && f.Title == e.Name
		})
		if i >= 0 {
			decisive = append(decisive, r.Results.Findings[i])
		}
	}
	return decisive
}

// evidence adds what the run's verdict rests on.
func evidence(p *page, r Run, base string) {
	all := r.Evidence()
	if r.Class == "" || len(all) == 0 {
		return
	}
	p.line("\n**Why** %s\n", text(r.Name, maxName))
	for _, e := range all {
		s := e.Kind + " " + code(e.Name, maxName)
		if e.Result != "" {
			s += ": " + text(e.Result, maxName)
		}
		if e.LogLine > 0 {
			s += ", " + consoleLine(r, base, e.Log, e.LogLine)
		}
		if e.Message != "" {
			s += ": " + text(e.Message, maxMessage)
		}
		p.line("- %s", s)
	}
}

// findings adds the run's kernel findings: those that the verdict rests on first, with their console lines.
func findings(p *page, r Run, base string) {
	if r.Results == nil || len(r.Results.Findings) == 0 {
		return
	}
	decisive := r.DecisiveFindings()
	all := slices.Clone(decisive)
	for _, f := range r.Results.Findings {
		if !slices.Contains(decisive, f) {
			all = append(all, f)
		}
	}
	p.line("\n**Kernel findings** of %s\n", text(r.Name, maxName))
	for i, f := range all[:min(len(all), maxFindings)] {
		p.line("- %s", finding(r, f, base))
		if f.Text != "" && i < maxReports && (len(decisive) == 0 || i < len(decisive)) {
			p.line("  <details><summary>its lines</summary><pre>%s</pre></details>", report(f.Text))
		}
	}
	if n := len(all) - maxFindings; n > 0 {
		p.line("- … and %d more", n)
	}
}

// finding is a finding as a line of Markdown.
func finding(r Run, f results.Finding, base string) string {
	s := text(f.Kind, maxName) + ": " + code(f.Title, maxName) + ", " + consoleLine(r, base, f.File, f.Line)
	if f.Suite != "" {
		s += ", during " + code(strings.TrimSuffix(f.Suite+"/"+f.Case, "/"), maxName)
	} else if f.Section != "" {
		s += ", during " + text(f.Section, maxName)
	}
	if f.Allowed != "" {
		s += "; allowed: " + text(f.Allowed, maxMessage)
	}
	if f.Denied != "" {
		s += "; denied: " + text(f.Denied, maxMessage)
	}
	return s
}

// consoleLine links to a line of the run's consoles.
func consoleLine(r Run, base, log string, line int) string {
	l := Line{RunID: r.ID, Log: log, Line: line}
	path := l.Path()
	if path == "" {
		return l.String()
	}
	return fmt.Sprintf("[%s](%s%s)", l, strings.TrimRight(base, "/"), path)
}

// report is a report's lines for a <pre> element: in it, GitHub's Markdown decodes entities and makes no links.
func report(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		next := text(strings.TrimRight(line, "\r\n"), maxMessage) + "&#10;"
		if b.Len()+len(next) > maxReport {
			b.WriteString("…")
			break
		}
		b.WriteString(next)
	}
	return b.String()
}
