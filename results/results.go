package results

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

	named    map[string]*namesakes
	begun    map[string]begun // steps by level
	reported []bool           // by case: a test has reported it, and not a step
}

// begun is how much there was when a step's first try began.
type begun struct{ findings, cases int }

// namesakes are the cases of one name: those of a second try are joined with those of the first in their order, without
// a search, as a suite may have any number of them.
type namesakes struct {
	at   []int // in Cases
	try  int   // that came last
	next int   // in at: the first that this try has not joined yet
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
	case e.Step != nil:
		r.step(e.Level, e.Step)
	case e.Accel != nil:
		r.Accel = e.Accel
	case e.Finding != nil:
		r.find(*e.Finding)
	case e.Case != nil:
		r.add(*e.Case, e.Level == "")
	case e.Verdict != nil:
		r.Verdict, r.Finished = *e.Verdict, e.Time.UTC()
	}
}

// find takes a finding in, or its decoded text.
func (r *Results) find(f Finding) {
	i := -1
	if f.Decoded {
		i = slices.IndexFunc(r.Findings, func(old Finding) bool {
			return old.File == f.File && old.Line == f.Line && old.Kind == f.Kind && old.Title == f.Title
		})
	}
	if i < 0 {
		r.Findings = append(r.Findings, f)
		return
	}
	f.Superseded = r.Findings[i].Superseded
	r.Findings[i] = f
}

// maxLevels bounds the levels that are remembered: those of the largest plan are far fewer.
const maxLevels = 100_000

// step marks the findings of a failed try as superseded once the step is retried, except those made during a test:
// there the tested system broke. Nor are those of another namespace, which the retry does not boot again.
func (r *Results) step(level string, s *Step) {
	if s.End {
		if s.Class == "" {
			delete(r.begun, level)
		}
		return
	}
	if s.Try <= 1 {
		if r.begun == nil {
			r.begun = map[string]begun{}
		}
		if len(r.begun) < maxLevels {
			r.begun[level] = begun{len(r.Findings), len(r.Cases)}
		}
		return
	}
	if from, ok := r.begun[level]; ok {
		for i := from.findings; i < len(r.Findings); i++ {
			f := &r.Findings[i]
			f.Superseded = f.Superseded || f.Section != "test" && f.Namespace == s.Namespace
		}
		r.drop(from.cases)
	}
}

// drop takes out what tests reported since, in a try that was not the last one. The steps' own cases stay.
func (r *Results) drop(from int) {
	if len(r.reported) != len(r.Cases) {
		return // not a fold from its start
	}
	kept := from
	for i := from; i < len(r.Cases); i++ {
		if !r.reported[i] {
			r.Cases[kept], r.reported[kept] = r.Cases[i], false
			kept++
		}
	}
	if kept == len(r.Cases) {
		return
	}
	r.Cases, r.reported, r.named = r.Cases[:kept], r.reported[:kept], nil
	for i := range r.Cases {
		n := r.sharing(&r.Cases[i])
		n.at = append(n.at, i)
	}
}

// sharing are the cases of one name.
func (r *Results) sharing(c *Case) *namesakes {
	if r.named == nil {
		r.named = map[string]*namesakes{}
	}
	key := c.Name() + "\x00" + c.Case // a slash may stand in either
	n := r.named[key]
	if n == nil {
		n = &namesakes{}
		r.named[key] = n
	}
	return n
}

// add takes a case in. One of a definition that was run again is joined with its result of the run before.
func (r *Results) add(c Case, reported bool) {
	n := r.sharing(&c)
	if c.Try > n.try {
		n.try, n.next = c.Try, 0
	}
	if c.Try > 1 && n.next < len(n.at) && r.Cases[n.at[n.next]].Try < c.Try {
		i := n.at[n.next]
		n.next++
		r.Cases[i] = r.Cases[i].again(c)
		return
	}
	n.at = append(n.at, len(r.Cases))
	r.Cases, r.reported = append(r.Cases, c), append(r.reported, reported)
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
