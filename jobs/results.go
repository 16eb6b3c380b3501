package jobs

import (
	"slices"
	"strconv"
	"time"
)

// Results is the fold of a run's events, and the content of results.json. gantry run, the runner and the app all use
// this one fold.
type Results struct {
	Schema  int    `json:"schema"`
	Job     string `json:"job"`
	Device  string `json:"device"`
	Attempt int    `json:"attempt"`
	Verdict
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Accel    *Accel    `json:"accel"`
	Findings []Finding `json:"findings"`
	Cases    []Case    `json:"cases"`
}

// ResultsSchema is the version of results.json.
const ResultsSchema = 1

// NewResults is the fold of no events.
func NewResults() *Results {
	return &Results{Schema: ResultsSchema, Findings: []Finding{}, Cases: []Case{}}
}

// Apply folds one event in.
func (r *Results) Apply(e Event) {
	switch {
	case e.Start != nil:
		r.Job, r.Device, r.Attempt, r.Started = e.Start.Job, e.Start.Device, e.Start.Attempt, e.Time.UTC()
	case e.Accel != nil:
		r.Accel = e.Accel
	case e.Finding != nil:
		r.find(*e.Finding)
	case e.Case != nil:
		r.add(*e.Case)
	case e.Verdict != nil:
		r.Verdict, r.Finished = *e.Verdict, e.Time.UTC()
	}
}

// find takes a finding in, or its decoded text.
func (r *Results) find(f Finding) {
	i := -1
	if f.Decoded {
		i = slices.IndexFunc(r.Findings, func(old Finding) bool { return old.Line == f.Line && old.Kind == f.Kind && old.Title == f.Title })
	}
	if i < 0 {
		r.Findings = append(r.Findings, f)
		return
	}
	r.Findings[i] = f
}

// add takes a case in. One of a definition that was run again is joined with its result of the run before.
func (r *Results) add(c Case) {
	if c.Try > 1 {
		i := slices.IndexFunc(r.Cases, func(d Case) bool { return d.Try < c.Try && d.same(c) })
		if i >= 0 {
			r.Cases[i] = r.Cases[i].again(c)
			return
		}
	}
	r.Cases = append(r.Cases, c)
}

// Noted is how many cases of the users' suites have the note.
func (r *Results) Noted(note string) int {
	n := 0
	for _, c := range r.Cases {
		if c.Noted(note) && c.Suite != PipelineSuite {
			n++
		}
	}
	return n
}

// Count is how many cases of the users' suites have the result; the pipeline's own steps do not count.
func (r *Results) Count(result string) int {
	n := 0
	for _, c := range r.Cases {
		if c.Result == result && c.Suite != PipelineSuite {
			n++
		}
	}
	return n
}

// Amount is the case's measurement as people write numbers, or "" where it has none.
func (c Case) Amount() string {
	if c.Measurement == nil {
		return ""
	}
	return strconv.FormatFloat(*c.Measurement, 'f', -1, 64)
}
