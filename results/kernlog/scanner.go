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
	maxLine      = 4096      // bytes of a line looked at in one piece; a longer one is looked at in pieces
	lineOverlap  = 128       // bytes two pieces share, so that no trigger word hides in the seam
	maxOpen      = 6         // reports being collected at once; more CPUs than that never report at the same moment
	maxBody      = 700       // lines of a report: a stall with all CPUs' registers stays below
	maxBodyBytes = 128 << 10 // of a report
	maxAge       = 4000      // lines of the console, anyone's, after which an open report is complete
	maxText      = 16 << 10  // bytes of a Finding's text
	maxReports   = 10000     // looked into; after them only what is fatal
	maxFindings  = 1000      // of a stream; who needs more has an attacker on the console
)

// Options of a Scanner. All are optional.
type Options struct {
	// Found is called with each finding when its title is complete, in order of line.
	Found func(results.Finding)
	// Fatal is called at once when something fatal begins. The finding's title is preliminary: give the console a short
	// while for late output, then Flush; Found gets the complete one, of the same line. That may not be fatal after
	// all: a list may allow a title that was not complete.
	Fatal func(results.Finding)
	// During is asked what was going on when a finding began, on that line of the stream, from 1; its title may be known
	// much later.
	During func(line int) During
	// List masks and adds findings.
	List *List
}

// Scanner finds kernel trouble in a stream. It is not safe for concurrent use.
type Scanner struct {
	opts    Options
	tables  *tables
	number  int    // of the line being read
	tail    []byte // its beginning, when a write ended within it
	open    []*report
	boot    bootState
	seen    map[string]bool // fingerprints reported since the last boot
	begun   int             // reports
	yielded int
	fatal   bool
	search  bool // the deny list has to be looked for in every message

	stamping bool // printk's time stamps have been seen
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

// partial adds to the line being read, and looks at what has become too long to keep.
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

// Fatal tells whether anything fatal has begun since the last ExpectReboot, even if its finding is not complete yet.
func (s *Scanner) Fatal() bool {
	return s.fatal || slices.ContainsFunc(s.open, func(r *report) bool { return r.alarmed })
}

// Pending tells whether a finding has begun and is not complete: when the console is quiet then, Flush.
func (s *Scanner) Pending() bool { return len(s.open) > 0 }

// ExpectReboot says that the job itself restarts the system: the next boot is no finding.
func (s *Scanner) ExpectReboot() {
	s.Flush()
	s.boot, s.begun, s.yielded = bootState{}, 0, 0
	s.fatal = false
	clear(s.seen)
}

// Line is the 1-based number of the line being read.
func (s *Scanner) Line() int { return s.number }

// piece looks at a line or a part of an overlong one. Nearly always the automaton's answer is all there is to do.
func (s *Scanner) piece(b []byte) {
	found := s.tables.triggers.scan(b)
	if !s.stamping && len(b) > 0 && (b[0] == '[' || b[0] == '<') {
		_, s.stamping = printk.Begins(b)
	}
	if found&bootMarks == 0 {
		s.lineSeen(b)
	}
	if found == 0 && len(s.open) == 0 && !s.search {
		return
	}
	if found == escape && len(s.open) == 0 && !s.search {
		// A terminal may have colored a trigger word.
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

// message gives one message to the reports it belongs to, and opens a report if it begins one.
func (s *Scanner) message(l line) {
	found := s.tables.triggers.scan(l.text)
	if found&bootMarks != 0 {
		s.mark(l, found)
	}
	var h *heading
	quote := false
	if s.begun >= maxReports { // somebody floods the console: all that matters is how it ends
		found &= s.tables.fatal
		if s.Fatal() {
			found = 0
		}
	}
	if found&s.tables.headers != 0 {
		h, quote = s.tables.recognize(l, found, s.stamping)
	}
	if h == nil {
		if !quote {
			s.collect(l, false)
		}
		if s.search && s.opts.List.denies(l.text) {
			s.single(l, deniedGroup())
		}
		return
	}
	if r := s.owner(l.context); r != nil && h.follows(r, l) {
		// Two CPUs that fault at once, and nothing tells them apart: what comes after is of either.
		twice := r.own == 1 && r.heading != nil && r.heading.group == h.group
		s.collect(l, !h.group.inside && !twice)
		s.follow(r, h)
		return
	}
	s.collect(l, !h.group.inside)
	s.begin(l, h)
}

// collect adds the message to every open report of its context.
// another tells that it begins a report of its own.
func (s *Scanner) collect(l line, another bool) {
	for _, r := range s.open {
		r.add(l, another)
	}
}

// owner is the report that a follow-up in this context belongs to: the latest of the context, else the latest of all.
func (s *Scanner) owner(context string) *report {
	for _, r := range slices.Backward(s.open) {
		if r.head.context == context {
			return r
		}
	}
	if len(s.open) > 0 {
		return s.open[len(s.open)-1]
	}
	return nil
}

// begin opens a report.
func (s *Scanner) begin(l line, h *heading) {
	r := newReport(l, h, s.opts.During(l.number))
	s.begun++
	s.admit(r)
	if h.fatal {
		s.alarm(r)
	}
}

// admit makes the report one of the open ones, at the cost of the oldest if there are too many.
func (s *Scanner) admit(r *report) {
	for len(s.open) >= maxOpen {
		s.open[0].done = true
		s.emit()
	}
	s.open = append(s.open, r)
}

// follow makes the report fatal if what it caused is.
func (s *Scanner) follow(r *report, h *heading) {
	if h.fatal && !r.fatal {
		r.fatal = true
		s.alarm(r)
	}
}

// alarm reports something fatal at once.
func (s *Scanner) alarm(r *report) {
	f := r.preliminary()
	if s.opts.List != nil {
		s.opts.List.apply(&f)
	}
	if f.Fatal {
		r.alarmed = true
		s.opts.Fatal(f)
	}
}

// single reports an event of one message.
func (s *Scanner) single(l line, g *group) {
	r := newReport(l, &heading{group: g, fatal: g.fatal}, s.opts.During(l.number))
	if g.fatal {
		s.alarm(r)
	}
	r.done = true
	s.admit(r)
	s.emit()
}

// emit yields complete reports, in order of line.
func (s *Scanner) emit() {
	for len(s.open) > 0 && s.open[0].done {
		r := s.open[0]
		s.open = s.open[1:]
		if f, ok := r.finding(); ok {
			s.yield(f)
		}
	}
}

func (s *Scanner) yield(f results.Finding) {
	if s.seen[f.Fingerprint] || s.yielded == maxFindings && !f.Fatal {
		return
	}
	s.seen[f.Fingerprint] = true
	s.yielded++
	if s.opts.List != nil {
		s.opts.List.apply(&f)
	}
	s.fatal = s.fatal || f.Fatal
	s.opts.Found(f)
}
