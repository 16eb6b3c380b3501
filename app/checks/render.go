package checks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/app/ghapi"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/internal/plaintext"
	"github.com/gantry-ci/gantry/results"
)

const (
	maxName    = 120 // characters of a suite's, case's or target's name in a table
	maxMessage = 600 // characters of a message in a summary
)

// Rendered is a check run as GitHub should show it, with all of its annotations.
type Rendered struct {
	Run         ghapi.CheckRun // without annotations
	Annotations []ghapi.Annotation
}

// Render makes the check run of a view. base is the address of the lab's pages.
func Render(v View, base string) Rendered {
	out := &ghapi.Output{}
	s := Rendered{Run: ghapi.CheckRun{
		Name: v.Check.Name, HeadSHA: v.Check.HeadSHA, ExternalID: v.Check.ExternalID(), Output: out,
		DetailsURL: strings.TrimRight(base, "/") + "/checks/" + v.Check.ID,
	}}
	if p := v.Problem; p != nil {
		s.Run.Status, s.Run.Conclusion = Completed, p.Conclusion
		at := time.UnixMilli(v.Check.CreatedMS).UTC()
		s.Run.CompletedAt = &at
		out.Title, out.Summary = plain(p.Title, ghapi.MaxTitle), plaintext.Clip(p.Summary, ghapi.MaxText)
		s.Annotations = p.Annotations
		return s
	}
	s.Run.Status, s.Run.Conclusion = state(v.Runs)
	s.Run.StartedAt, s.Run.CompletedAt = span(v.Runs, s.Run.Status)
	out.Title = title(v.Runs, s.Run.Status)
	out.Summary = summary(v.Runs, base)
	if s.Run.Status == Completed {
		out.Text = cases(v.Runs)
		s.Annotations = annotations(v)
	}
	return s
}

// span is when the first run started and, once all are completed, when the last one ended.
func span(runs []Run, status string) (started, completed *time.Time) {
	var first, last int64
	for _, r := range runs {
		if r.StartedMS > 0 && (first == 0 || r.StartedMS < first) {
			first = r.StartedMS
		}
		last = max(last, r.EndedMS)
	}
	if first > 0 {
		t := time.UnixMilli(first).UTC()
		started = &t
	}
	if status == Completed {
		t := time.UnixMilli(last).UTC()
		completed = &t
	}
	return started, completed
}

// title says where the check is in the queue or on a target, or, once it is completed, whose fault a failure was, with
// the counts of cases.
func title(runs []Run, status string) string {
	switch status {
	case Queued:
		place := slices.MinFunc(runs, func(a, b Run) int { return int(a.Place - b.Place) }).Place
		if place <= 1 {
			return "Queued: next for a target"
		}
		return fmt.Sprintf("Queued: %d runs before it", place-1)
	case InProgress:
		for _, r := range runs {
			if t := target(r); t != "" && r.State == store.RunRunning {
				return plain("Running on "+t, ghapi.MaxTitle)
			}
		}
		return "Waiting for the next attempt"
	}
	t := strings.Join(counts(runs), ", ")
	if i := slices.IndexFunc(runs, func(r Run) bool {
		return r.Class != "" && (r.Class != results.ClassTest || !hasFailures(r))
	}); i >= 0 {
		t = strings.TrimSuffix(runs[i].headline()+" ("+t+")", " ()")
	}
	if i := slices.IndexFunc(runs, func(r Run) bool {
		return r.Class == results.ClassTest && hasFailures(r) && len(r.DecisiveFindings()) > 0
	}); i >= 0 {
		t += "; " + runs[i].DecisiveFindings()[0].Title
	}
	if t == "" {
		t = "No results"
	}
	return plain(t, ghapi.MaxTitle)
}

// hasFailures reports whether a case of the user's suites failed: then the counts say why the run failed.
func hasFailures(r Run) bool {
	return r.Results != nil && slices.ContainsFunc(r.Results.Cases, func(c results.Case) bool {
		return c.Suite != results.PipelineSuite && c.Fails()
	})
}

// headline says whose fault the failure was and, if the kernel broke, how.
func (r Run) headline() string {
	v := r.Verdict
	if decisive := r.DecisiveFindings(); len(decisive) > 0 {
		v.Message = decisive[0].Title
	}
	return headline(v)
}

// counts are the numbers of cases by category, the most important first: new failures, unexpected passes, missing
// cases, known failures, flaky ones, and the rest.
func counts(runs []Run) []string {
	categories := []string{
		results.Fail, results.NoteUnexpectedPass, results.Missing, results.NoteKnown, results.NoteFlaky, results.Unknown,
		results.Skip, results.Pass,
	}
	n := map[string]int{}
	for _, r := range runs {
		if r.Results == nil {
			continue
		}
		for _, c := range r.Results.Cases {
			if c.Suite != results.PipelineSuite {
				n[category(c)]++
			}
		}
	}
	var out []string
	for _, k := range categories {
		if n[k] == 0 {
			continue
		}
		word := describe(k)
		if k == results.Fail && n[results.NoteKnown] > 0 {
			word = "newly failed"
		}
		out = append(out, fmt.Sprintf("%d %s", n[k], word))
	}
	return out
}

// category is what a case counts as: a note on a known failure, else its result.
func category(c results.Case) string {
	for _, note := range []string{results.NoteUnexpectedPass, results.NoteKnown, results.NoteFlaky} {
		if c.HasNote(note) {
			return note
		}
	}
	return c.Result
}

// describe is a category in words.
func describe(category string) string {
	switch category {
	case results.Pass:
		return "passed"
	case results.Fail:
		return "failed"
	case results.Skip:
		return "skipped"
	case results.NoteKnown:
		return "known to fail"
	case results.NoteUnexpectedPass:
		return "passed unexpectedly"
	default:
		return category
	}
}

// headline says whose fault a failure was.
func headline(v results.Verdict) string {
	switch v.Class {
	case results.ClassJob:
		return "Job failed: " + v.Message
	case results.ClassInfrastructure:
		return "The lab failed: " + v.Message
	case results.ClassTimeout:
		return "Timed out: " + v.Message
	case results.ClassCanceled:
		return "Canceled: " + v.Message
	case results.ClassBug:
		return "gantry failed: " + v.Message
	default:
		return v.Message
	}
}

// target is the target of the run's last attempt; "" when there was none.
func target(r Run) string {
	if len(r.Attempts) == 0 {
		return ""
	}
	return r.Attempts[len(r.Attempts)-1].Target
}

// summary is the table of runs, what went wrong, the table of suites, and the kernel findings.
func summary(runs []Run, base string) string {
	p := &page{limit: ghapi.MaxText}
	p.line("| Run | Target | State | Verdict | Time |\n|---|---|---|---|---|")
	for _, r := range runs {
		p.line("| [%s](%s/runs/%s) | %s | %s | %s | %s |", text(r.Name, maxName), strings.TrimRight(base, "/"), r.ID,
			text(target(r), maxName), r.State, verdict(r.Verdict), duration(r))
	}
	for _, r := range runs {
		if r.Message != "" {
			p.line("\n%s: %s", text(r.Name, maxName), text(headline(r.Verdict), maxMessage))
		}
		evidence(p, r, base)
	}
	suites(p, runs)
	for _, r := range runs {
		findings(p, r, base)
	}
	return p.String()
}

func verdict(v results.Verdict) string {
	if v.Class == "" {
		return v.Verdict
	}
	return v.Verdict + " (" + string(v.Class) + ")"
}

// duration is how long the run's attempts were, with the wait between them; "" until it has ended.
func duration(r Run) string {
	if r.StartedMS == 0 || r.EndedMS < r.StartedMS {
		return ""
	}
	return (time.Duration(r.EndedMS-r.StartedMS) * time.Millisecond).Round(100 * time.Millisecond).String()
}
