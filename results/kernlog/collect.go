package kernlog

import (
	"slices"

	"github.com/gantry-ci/gantry/results"
)

// message gives one message to the reports it belongs to, and opens a report if it begins one.
func (s *Scanner) message(l line) {
	found := s.tables.triggers.scan(l.text)
	if found&bootMarks != 0 {
		s.mark(l, found)
	}
	var h *heading
	quote := false
	if s.begun >= maxReports { // a flood, of which only a fatal end matters
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
		// Two CPUs that fault at the same time, without callers: what comes after may be of either.
		twice := r.own == 1 && r.heading != nil && r.heading.group == h.group
		s.collect(l, !h.group.inside && !twice)
		s.follow(r, h)
		return
	}
	s.collect(l, !h.group.inside)
	s.begin(l, h)
}

// collect adds the message to every open report of its context. begins says that it begins a report of its own.
func (s *Scanner) collect(l line, begins bool) {
	for _, r := range s.open {
		r.add(l, begins)
	}
}

// owner is the report to which a consequence in this context belongs: the latest of the context, else the latest.
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

// admit opens the report, and ends the oldest if too many are open.
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

// alarm calls Options.Fatal, unless the allow list has the finding.
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

// single reports an event that is one message.
func (s *Scanner) single(l line, g *group) {
	r := newReport(l, &heading{group: g, fatal: g.fatal}, s.opts.During(l.number))
	if g.fatal {
		s.alarm(r)
	}
	r.done = true
	s.admit(r)
	s.emit()
}

// emit yields the complete reports, in order of line.
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
