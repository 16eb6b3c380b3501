package signal

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/results"
)

// History is what is known of the runs of a target's stages that have ended. Processes that they left behind may still
// report: such a record counts in the suite of its own run, never as one of the run that goes on. The zero value is
// ready.
type History struct{ runs map[int]*endedRun }

// endedRun is what is known of a run that has ended.
type endedRun struct {
	suite    string         // the one that its next record belongs to
	sums     map[int]uint32 // the checksums of its records, by number
	reported int            // up to this number, what is missing has been reported
	highest  int            // the highest number known of
	damaged  map[int]bool   // numbers whose trailers came, and whose signals could not be put together
}

// add remembers the run of a parser that closes.
func (h *History) add(s *sequence) {
	reported := max(s.highest, s.count, 0)
	p := &endedRun{
		suite: s.state.suiteName(), sums: s.sums, reported: reported, highest: reported, damaged: map[int]bool{},
	}
	if h.runs == nil {
		h.runs = map[int]*endedRun{}
	}
	if old := h.runs[s.run]; old != nil { // the number was given twice
		maps.Copy(p.sums, old.sums)
	}
	h.runs[s.run] = p
}

// knows reports whether a frame's record is known, whichever run it is of.
func (s *sequence) knows(f *frame) bool {
	if f.run == s.run {
		return s.known(f.seq)
	}
	p := s.history.runs[f.run]
	if p == nil {
		return false
	}
	sum, ok := p.sums[f.seq]
	return ok && sum == f.crc
}

// addLate takes a record of another run; false when it was known. One of a run that nobody knows of counts where it
// stands.
func (s *sequence) addLate(f *frame, r record) bool {
	p := s.history.runs[f.run]
	if p == nil {
		if s.history.runs == nil {
			s.history.runs = map[int]*endedRun{}
		}
		p = &endedRun{suite: s.state.suiteName(), sums: map[int]uint32{}, reported: s.max, damaged: map[int]bool{}}
		s.history.runs[f.run] = p
	}
	if f.seq < 1 || f.seq > s.max || len(p.sums) >= s.max || len(s.history.runs) > maxRuns {
		s.sum.Truncated = true
		return false
	}
	r.earlier, r.run = p, f.run
	if sum, ok := p.sums[f.seq]; ok {
		if sum != r.sum {
			s.state.conflict(p.suite, f.run, r)
			p.sums[f.seq] = r.sum
		}
		return false
	}
	p.sums[f.seq] = r.sum
	p.highest = max(p.highest, f.seq)
	s.hashes[s.hash(r.text)] = struct{}{}
	s.state.applyLate(r)
	return true
}

// maxRuns bounds how many runs are known of: a test may make up numbers.
const maxRuns = 10_000

// damagedLate remembers a trailer of another run whose signal is damaged.
func (s *sequence) damagedLate(f *frame) {
	if p := s.history.runs[f.run]; p != nil && f.seq > p.reported && len(p.damaged) < maxGaps {
		p.damaged[f.seq] = true
	}
}

// reportLateGaps reports the records of earlier runs that must have come, and did not.
func (s *sequence) reportLateGaps() {
	for _, number := range slices.Sorted(maps.Keys(s.history.runs)) {
		s.reportLateGap(number, s.history.runs[number])
	}
}

// reportLateGap does so for one run.
func (s *sequence) reportLateGap(number int, p *endedRun) {
	gaps := 0
	lost := func(seq int) {
		if _, ok := p.sums[seq]; ok || seq <= p.reported {
			return
		}
		if gaps++; gaps > maxGaps {
			s.sum.Truncated = true
			return
		}
		s.state.missing(p.suite, fmt.Sprintf("record %d of run %d", seq, number), 0,
			"it came after its run had ended, and was damaged")
	}
	for seq := p.reported + 1; seq <= p.highest && gaps <= maxGaps; seq++ {
		lost(seq)
		delete(p.damaged, seq)
	}
	for _, seq := range slices.Sorted(maps.Keys(p.damaged)) {
		lost(seq)
	}
	p.reported = max(p.reported, p.highest)
	clear(p.damaged)
}

// applyLate applies a record of an earlier run. Its starts of runs say which suite is next; what else it says of those
// runs changes nothing, because they have been reported as ended already.
func (s *state) applyLate(r record) {
	it := Item{Line: r.line, Seq: r.seq, Late: r.run}
	switch name, rest := signal(r.text); name {
	case "STARTRUN":
		r.earlier.suite = text(strings.Fields(rest + " ")[0], maxName)
	case "TESTCASE":
		s.testCase(it, rest, r)
	case "TESTREFERENCE":
		s.reference(it, rest, r)
	default:
		s.urgent(r)
	}
}

// suiteOf is the suite that a record counts in.
func (s *state) suiteOf(r record) string {
	if r.earlier != nil {
		return r.earlier.suite
	}
	return s.suiteName()
}

// reportLate emits a case of an earlier run.
func (s *state) reportLate(it Item, c *results.Case, r record) {
	if s.sum.Cases >= s.opts.MaxCases {
		s.sum.Truncated = true
		return
	}
	s.sum.Cases++
	s.sum.Late++
	c.Suite = s.suiteOf(r)
	addNote(c, NoteLate)
	it.Case = c
	s.emit(it)
}

// conflict reports that two different signals came with one number, both undamaged: one of them does not count, and
// nothing says which should.
func (s *state) conflict(suite string, run int, r record) {
	if s.conflicts++; s.conflicts > maxGaps {
		s.sum.Truncated = true
		return
	}
	s.missing(suite, fmt.Sprintf("record %d of run %d", r.seq, run), r.line,
		fmt.Sprintf("another signal has the same number; %q does not count", text(r.text, maxName)))
}
