package signal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/internal/plaintext"
	"github.com/gantry-ci/gantry/results"
)

// Notes of cases.
const (
	// NoteUnsequenced marks a case that a test printed by itself, without number and checksum.
	NoteUnsequenced = "unsequenced"
	// NoteJoined marks one of these that was put together again from what the kernel's lines had cut.
	NoteJoined = "put together again"
	// NoteLate marks a case that a process of an earlier run reported after that run had ended.
	NoteLate = "late"
	// NoteUnexpected marks a case that the definition's list of expected ones does not have; it fails.
	NoteUnexpected = "unexpected"
	// NoteUnsureSet and NoteUnsureSuite mark cases after lost records that may have held the start or the end of
	// their set, or of their suite.
	NoteUnsureSet   = "set uncertain"
	NoteUnsureSuite = "suite uncertain"
)

// maxMessage bounds a message, in bytes, as LAVA's metadata.
const maxMessage = 4096

// maxOpen is how many started cases are timed at once.
const maxOpen = 1000

// text makes what a target printed fit for records: valid UTF-8, not too long, and nothing that a terminal obeys.
func text(s string, limit int) string { return plaintext.Printable(plaintext.Head(s, limit), "\t") }

// startCase begins to time a case.
func (s *state) startCase(it Item, id string, at time.Time) {
	id = text(id, maxName)
	if r := s.run; r != nil && (r.open[id] != nil || len(r.order) < maxOpen) {
		if r.open[id] == nil {
			r.order = append(r.order, id)
		}
		r.open[id] = &timing{start: at, line: it.Line}
	}
	it.StartCase = id
	s.emit(it)
}

// endCase ends the time of a case, whose result comes next.
func (s *state) endCase(it Item, id string, at time.Time) {
	id = text(id, maxName)
	if s.run != nil && s.run.open[id] != nil {
		s.run.open[id].end, s.run.open[id].ended = at, true
	}
	it.EndCase = id
	s.emit(it)
}

// testSet begins or ends a set.
func (s *state) testSet(it Item, rest string) {
	word, name, _ := strings.Cut(rest, " ")
	name = text(name, maxName)
	if s.unsure == NoteUnsureSet {
		s.unsure = ""
	}
	switch {
	case s.run == nil:
		return
	case word == "START" && name != "":
		s.run.set, it.StartSet = &name, name
	case word == "STOP" && s.run.set != nil:
		it.EndSet, s.run.set = *s.run.set, nil
	default:
		return
	}
	s.emit(it)
}

// testCase reports the result of a case.
func (s *state) testCase(it Item, rest string, r record) {
	f := fields(rest)
	id := text(f["TEST_CASE_ID"], maxName)
	if id == "" {
		s.missing(s.suiteOf(r), "unnamed", it.Line, fmt.Sprintf("a result without a name: %q", text(rest, maxName)))
		return
	}
	word := s.fixup(f["RESULT"])
	c := &results.Case{Case: id, Result: result(word), LogLine: lineOf(r.line)}
	if c.Result == results.Unknown && word != results.Unknown {
		c.Message = fmt.Sprintf("%q is no result", text(word, maxName))
	}
	if m := f["MEASUREMENT"]; m != "" {
		if c.Measurement = number(m); c.Measurement == nil {
			c.Message = fmt.Sprintf("%q is no measurement", text(m, maxName))
		}
	}
	if u := f["UNITS"]; u != "" {
		u = text(u, maxName)
		c.Units = &u
	}
	s.reportCase(it, c, r)
}

// reference reports a case that is a link.
func (s *state) reference(it Item, rest string, r record) {
	id, rest, _ := strings.Cut(rest, " ")
	res, url, _ := strings.Cut(rest, " ")
	if id == "" || url == "" {
		return
	}
	url = text(url, maxMessage)
	s.reportCase(it, &results.Case{
		Case: text(id, maxName), Result: result(res), Reference: &url, LogLine: lineOf(r.line),
	}, r)
}

// reportCase reports a case in the run that its record is of, with notes about that record.
func (s *state) reportCase(it Item, c *results.Case, r record) {
	if r.earlier != nil {
		s.reportLate(it, c, r)
		return
	}
	if r.seq == 0 && s.opts.Sequenced {
		c.Note = NoteUnsequenced
		s.sum.Unsequenced++
	}
	if r.joined {
		addNote(c, NoteJoined)
	}
	s.report(it, c)
}

// report emits a case of the running definition.
func (s *state) report(it Item, c *results.Case) {
	if s.sum.Cases >= s.opts.MaxCases {
		s.sum.Truncated = true
		return
	}
	s.sum.Cases++
	c.Suite = s.suiteName()
	if r := s.run; r != nil {
		c.Set = r.set
		r.cases[c.Case] = true
		if t := r.open[c.Case]; t != nil {
			if !t.start.IsZero() && !t.end.IsZero() {
				c.DurationS = seconds(t.end.Sub(t.start))
			}
			r.close(c.Case)
		}
		if r.def != nil && len(r.def.Expected) > 0 && !r.def.expects(c.Case) {
			c.Result = results.Fail
			addNote(c, NoteUnexpected)
		}
	}
	addNote(c, s.unsure)
	it.Case = c
	s.emit(it)
}

// addNote adds a note to those that c has.
func addNote(c *results.Case, text string) {
	if c.Note != "" && text != "" {
		c.Note += ", "
	}
	c.Note += text
}

// close forgets a started case.
func (r *run) close(id string) {
	delete(r.open, id)
	if i := slices.Index(r.order, id); i >= 0 {
		r.order = slices.Delete(r.order, i, i+1)
	}
}

// suiteName is the suite of what is reported now.
func (s *state) suiteName() string {
	switch {
	case s.run != nil:
		return s.run.Name
	case s.suite != "":
		return s.suite
	}
	return unknownSuite
}
