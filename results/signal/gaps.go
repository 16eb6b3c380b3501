package signal

import (
	"fmt"
	"math"
	"time"
)

// close gives up on the records that have not come, applies the others, and reports each gap between them.
func (s *sequence) close() {
	if s.strict || s.highest > 0 {
		end := math.MaxInt
		if s.count >= 0 {
			end = max(s.count, s.highest) + 1
		}
		s.closeInterval(end, false)
	}
	gaps, all := 0, max(s.highest, s.count)
	for s.applied < all {
		if r, ok := s.held[s.applied+1]; ok {
			s.classify(r.seq)
			s.applyRecord(r)
			continue
		}
		from := s.applied + 1
		for s.applied < all && !s.has(s.applied+1) {
			s.applied++
			s.lost[s.applied] = s.applied-from < maxGaps
		}
		if gaps++; gaps <= maxGaps {
			s.state.reportGap(from, s.applied, s.held[s.applied+1].text, s.nextBoundary())
		}
	}
	s.classify(math.MaxInt)
	if s.strict && s.count < 0 {
		s.state.noManifest()
	}
}

// has reports whether a record waits to be applied.
func (s *sequence) has(seq int) bool { _, ok := s.held[seq]; return ok }

// maxBoundarySearch is how many records after a gap are searched for the run they belong to.
const maxBoundarySearch = 10_000

// nextBoundary is the first start or end of a run after a gap and before the next: it shows which run the records
// before it belong to; "" when there is none.
func (s *sequence) nextBoundary() string {
	for n := s.applied + 1; n <= min(s.highest, s.applied+maxBoundarySearch); n++ {
		r, ok := s.held[n]
		if !ok {
			break // the next gap may hold one
		}
		if isBoundary(r.text) {
			return r.text
		}
	}
	return ""
}

// doubtful reports a signal that may be a test's own, or what is left of one that was damaged.
func (s *state) doubtful(r record) {
	if s.doubts++; s.doubts > maxGaps {
		s.sum.Truncated = true
		return
	}
	s.missing(
		s.suiteName(), "unsequenced", r.line,
		fmt.Sprintf("%q was damaged, or stands where other results were, and cannot be relied on", text(r.text, maxName)),
	)
}

// awaited is the case whose result must be the last of n missing records, with next after them: one that was started.
func (s *state) awaited(n int, next string) string {
	if s.run == nil || len(s.run.order) == 0 {
		return ""
	}
	id := s.run.order[len(s.run.order)-1]
	left := 2 // its end, and its result
	if s.run.open[id].ended {
		left = 1
	}
	name, rest := signal(next)
	if n != left || name == "ENDTC" && rest == id || name == "TESTCASE" && fields(rest)["TEST_CASE_ID"] == id {
		return ""
	}
	return id
}

// reportGap reports records that came by no way, by the name of their case where that is known. Next is the record
// after them, and before is the first start or end of a definition among those after them.
func (s *state) reportGap(from, to int, next, before string) {
	id := s.awaited(to-from+1, next)
	if s.run != nil {
		s.run.gap = true
	}
	if s.unsure == "" {
		s.unsure = NoteUnsureSet
	}
	switch name, rest := signal(before); {
	case name == "ENDRUN" || name == "RUNEXIT":
		// Their own run's start may be among the lost ones.
		if s.ensureRun(Item{}, rest, time.Time{}) {
			s.run.gap, s.unsure = true, NoteUnsureSet
		}
	case name == "" && to > from || s.run == nil:
		// One record cannot be both the end of a run and the start of the next.
		s.unsure = NoteUnsureSuite
	}
	name := fmt.Sprintf("record %d", from)
	if to > from {
		name = fmt.Sprintf("records %d-%d", from, to)
	}
	why := "the output was damaged, and the manifest does not have it"
	if id != "" && s.run != nil && s.run.open[id] != nil {
		name, why = id, fmt.Sprintf("%s (%s)", why, name)
		s.run.cases[id] = true
		s.run.close(id)
	}
	s.missing(s.suiteName(), name, 0, why)
}

// noManifest says that results at the end may have been lost. Nobody knows which, so it makes no case.
func (s *state) noManifest() { s.sum.NoManifest = true }
