package export

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/gantry-ci/gantry/results"
)

type testsuites struct {
	XMLName xml.Name `xml:"testsuites"`
	Name    string   `xml:"name,attr"`
	counts
	Time      string       `xml:"time,attr,omitempty"`
	Timestamp string       `xml:"timestamp,attr,omitempty"`
	Suites    []*testsuite `xml:"testsuite"`
}

type counts struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
}

type testsuite struct {
	Name string `xml:"name,attr"`
	counts
	Time       string      `xml:"time,attr,omitempty"`
	Timestamp  string      `xml:"timestamp,attr,omitempty"`
	Hostname   string      `xml:"hostname,attr,omitempty"`
	Properties *properties `xml:"properties"`
	Cases      []testcase  `xml:"testcase"`
	SystemErr  string      `xml:"system-err,omitempty"`
	seconds    float64
}

type properties struct {
	Properties []property `xml:"property"`
}

type property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type testcase struct {
	Name       string      `xml:"name,attr"`
	Classname  string      `xml:"classname,attr"`
	Time       string      `xml:"time,attr,omitempty"`
	File       string      `xml:"file,attr,omitempty"`
	Line       int         `xml:"line,attr,omitempty"`
	Properties *properties `xml:"properties"`
	Failure    *outcome    `xml:"failure"`
	Error      *outcome    `xml:"error"`
	Skipped    *outcome    `xml:"skipped"`
}

type outcome struct {
	Message string `xml:"message,attr,omitempty"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// runSuite is the suite of the run's verdict: readers that only count cases must not take an incomplete run for green.
const runSuite = "gantry"

// JUnit writes r as JUnit XML. There is no standard; the form is the one that Jenkins and GitHub's actions read.
// It has a testsuite for each suite, and one named "gantry" whose only case is the verdict. A case's class name is its
// suite, with its set after a dot; file and line are of a console's log. A result that is unknown or missing is an
// error of that type, a known failure is skipped; measurement, units, reference and note are properties.
func JUnit(w io.Writer, r *results.Results) error {
	doc := testsuites{Name: r.Job}
	if d := r.Finished.Sub(r.Started); d > 0 && !r.Started.IsZero() {
		doc.Time = seconds(d.Seconds())
	}
	stamp := ""
	if !r.Started.IsZero() {
		stamp = r.Started.UTC().Format("2006-01-02T15:04:05Z")
	}
	doc.Timestamp = stamp
	byName := map[string]*testsuite{}
	again := overcome(r.Cases)
	for i := range r.Cases {
		c := r.Cases[i]
		if again[i] {
			c.Result, c.Message = results.Skip, "tried again: "+c.Message
		}
		s := byName[c.Suite]
		if s == nil {
			s = &testsuite{Name: c.Suite, Timestamp: stamp, Hostname: r.Device}
			byName[c.Suite], doc.Suites = s, append(doc.Suites, s)
		}
		s.add(&c)
	}
	doc.Suites = append(doc.Suites, verdict(r, stamp))
	doc.sum()
	if err := writeXML(w, &doc); err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	return nil
}

// sum counts what the suites have.
func (d *testsuites) sum() {
	for _, s := range d.Suites {
		if s.seconds > 0 {
			s.Time = seconds(s.seconds)
		}
		d.Tests += s.Tests
		d.Failures += s.Failures
		d.Errors += s.Errors
		d.Skipped += s.Skipped
	}
}

func writeXML(w io.Writer, doc any) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// overcome are the steps of the pipeline that failed and passed when they were tried again. They must not make the
// report of a run red that passed.
func overcome(cases []results.Case) map[int]bool {
	passed, again := map[string]bool{}, map[int]bool{}
	for i := len(cases) - 1; i >= 0; i-- {
		switch c := &cases[i]; {
		case c.Suite != results.PipelineSuite:
		case c.Result == results.Pass:
			passed[c.Case] = true
		case c.Result == results.Fail && passed[c.Case]:
			again[i] = true
		}
	}
	return again
}

func seconds(s float64) string { return strconv.FormatFloat(s, 'f', 3, 64) }

func (s *testsuite) add(c *results.Case) {
	t := testcase{Name: c.Case, Classname: c.Suite}
	if c.Set != nil {
		t.Classname += "." + *c.Set
	}
	if c.DurationS != nil {
		t.Time = seconds(*c.DurationS)
		s.seconds += *c.DurationS
	}
	if c.LogLine != nil {
		t.File, t.Line = c.LogName(), *c.LogLine
	}
	t.Properties = describe(c)
	s.Tests++
	switch why := (&outcome{Message: c.Message}); {
	case c.HasNote(results.NoteUnexpectedPass):
		why.Message = "passed, though it is a known failure: " + c.Known
		t.Failure, s.Failures = why, s.Failures+1
	case c.HasNote(results.NoteKnown):
		why.Message = results.NoteKnown + ": " + c.Known // JUnit has no such result, and it must not fail the report
		t.Skipped, s.Skipped = why, s.Skipped+1
	case c.Result == results.Pass:
	case c.Result == results.Skip:
		t.Skipped, s.Skipped = why, s.Skipped+1
	case c.Result == results.Fail:
		t.Failure, s.Failures = why, s.Failures+1
	default:
		why.Type = c.Result
		t.Error, s.Errors = why, s.Errors+1
	}
	s.Cases = append(s.Cases, t)
}

func describe(c *results.Case) *properties {
	var p properties
	if c.Measurement != nil {
		p.add("measurement", strconv.FormatFloat(*c.Measurement, 'g', -1, 64))
	}
	if c.Units != nil {
		p.add("units", *c.Units)
	}
	if c.Reference != nil {
		p.add("reference", *c.Reference)
	}
	if c.Note != "" {
		p.add("note", c.Note)
	}
	if p.Properties == nil {
		return nil
	}
	return &p
}

func (p *properties) add(name, value string) {
	p.Properties = append(p.Properties, property{name, value})
}

// verdict is the suite of the run itself. Class test is no failure of its own: the failed cases are in the report.
func verdict(r *results.Results, stamp string) *testsuite {
	s := &testsuite{Name: runSuite, Timestamp: stamp, Hostname: r.Device, counts: counts{Tests: 1}}
	t := testcase{Name: "verdict", Classname: runSuite}
	why := &outcome{Message: r.Message, Type: string(r.Class)}
	switch {
	case r.Verdict.Verdict == results.VerdictPass, r.Class == results.ClassTest && r.Complete &&
		slices.ContainsFunc(r.Cases, results.Case.Fails):
	case r.Verdict.Verdict == results.VerdictFail:
		t.Failure, s.Failures = why, 1
	default:
		t.Error, s.Errors = why, 1
	}
	s.Cases = []testcase{t}
	if r.Accel != nil {
		s.Properties = &properties{}
		s.Properties.add("accel", r.Accel.Used+": "+r.Accel.Why)
	}
	var trouble strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&trouble, "%s:%d: %s: %s\n%s\n", f.LogName(), f.Line, f.Kind, f.Title, f.Text)
	}
	s.SystemErr = trouble.String()
	return s
}
