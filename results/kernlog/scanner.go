package kernlog

import (
	"bytes"
	"slices"

	"github.com/gantry-ci/gantry/internal/printk"
	"github.com/gantry-ci/gantry/internal/terminal"
	"github.com/gantry-ci/gantry/results"
)

// Limits of what a Scanner keeps, whatever the stream holds.
const (
	maxLine      = 4096      // bytes of a line that are read in one piece; a longer line is read in pieces
	lineOverlap  = 128       // bytes that two pieces share, so that no trigger word is cut in two
	maxOpen      = 6         // reports that are collected at the same time; more CPUs never report at the same moment
	maxBody      = 700       // lines of a report: a stall with all CPUs' registers stays below
	maxBodyBytes = 128 << 10 // of a report
	maxAge       = 4000      // lines of the console after which an open report is complete
	maxText      = 16 << 10  // bytes of a Finding's text
	maxReports   = 10000     // in a stream; after them only fatal ones are read
	maxFindings  = 1000      // of a stream; more of them come from an attacker
)

// Options of a Scanner. All are optional.
type Options struct {
	// Found is called with each finding when its title is complete, in order of line.
	Found func(results.Finding)
	// Fatal is called as soon as something fatal begins. The finding's title is preliminary: give the console a short
	// while for late output, then Flush; Found gets the complete one, of the same line. That may not be fatal after
	// all: a list may allow a title that was not complete.
	Fatal func(results.Finding)
	// During says what was going on at a line of the stream, from 1. It is called for the line with which a finding
	// begins, whose title may come much later.
	During func(line int) During
	// List masks and adds findings.
	List *List
}

// Scanner finds kernel trouble in a stream. It is not safe for concurrent use.
type Scanner struct {
	opts    Options
	tables  *tables
	number  int    // of the line being read
	tail    []byte // its beginning, after a write that ended within it
	open    []*report
	boot    bootState
	seen    map[string]bool // fingerprints reported since the last boot
	begun   int             // reports
	yielded int
	fatal   bool
	search  bool // the deny list has expressions to match with every message

	stamping bool // the kernel prints time stamps
}

// New makes a Scanner at the first line of a stream.
func New(o Options) *Scanner {
	if o.Found == nil {
		o.Found = func(results.Finding) {}
	}
	if o.Fatal == nil {
		o.Fatal = func(results.Finding) {}
	}
	if o.During == nil {
		o.During = func(int) During { return During{} }
	}
	s := &Scanner{opts: o, tables: shared(), number: 1, seen: map[string]bool{}}
	s.search = o.List != nil && slices.ContainsFunc(o.List.Deny, func(e Entry) bool { return e.searches() })
	return s
}

// Write takes the next bytes of the stream; where it is cut makes no difference. It never fails.
func (s *Scanner) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			s.partial(p)
			break
		}
		if len(s.tail) > 0 {
			s.partial(p[:i])
			s.piece(s.tail)
			s.tail = s.tail[:0]
		} else {
			s.whole(p[:i])
		}
		s.number++
		p = p[i+1:]
	}
	return n, nil
}

// whole takes a complete line that needed no buffer, piece by piece exactly as partial would.
func (s *Scanner) whole(b []byte) {
	for len(b) > maxLine {
		s.piece(b[:maxLine])
		b = b[maxLine-lineOverlap:]
	}
	s.piece(b)
}

// partial adds to the line being read, and reads what has become too long to keep.
func (s *Scanner) partial(b []byte) {
	for len(b) > 0 {
		if len(s.tail) == maxLine {
			s.piece(s.tail)
			s.tail = append(s.tail[:0], s.tail[maxLine-lineOverlap:]...)
		}
		n := min(len(b), maxLine-len(s.tail))
		s.tail = append(s.tail, b[:n]...)
		b = b[n:]
	}
}

// Flush completes what is open: the stream has ended, or has been quiet for long enough. Writing may go on after it.
func (s *Scanner) Flush() {
	if len(s.tail) > 0 {
		s.piece(s.tail)
		s.tail = s.tail[:0]
	}
	for _, r := range s.open {
		r.done = true
	}
	s.emit()
}

// Fatal reports whether anything fatal has begun so far, even if its finding is not complete yet.
func (s *Scanner) Fatal() bool {
	return s.fatal || slices.ContainsFunc(s.open, func(r *report) bool { return r.alarmed })
}

// Pending reports whether a finding has begun and is not complete. If the console is quiet then, call Flush.
func (s *Scanner) Pending() bool { return len(s.open) > 0 }

// Line is the 1-based number of the line being read.
func (s *Scanner) Line() int { return s.number }

// piece reads a line, or a part of a line that is too long. For nearly all of them the automaton is the only work.
func (s *Scanner) piece(b []byte) {
	found := s.tables.triggers.scan(b)
	if !s.stamping && len(b) > 0 && (b[0] == '[' || b[0] == '<') {
		_, s.stamping = printk.Begins(b)
	}
	if found&bootMarks == 0 {
		s.observe(b)
	}
	if found == 0 && len(s.open) == 0 && !s.search {
		return
	}
	if found == escape && len(s.open) == 0 && !s.search {
		// An escape may color a part of a trigger word.
		if b = terminal.Text(b); s.tables.triggers.scan(b) == 0 {
			return
		}
	}
	messages(s.number, b, s.message)
	for _, r := range s.open {
		r.expire(s.number)
	}
	s.emit()
}
