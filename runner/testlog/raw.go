package testlog

import (
	"slices"
	"time"
)

// raw is a signal without a number, between two that came with theirs.
type raw struct {
	record
	after, before int   // their numbers; before is 0 until it comes
	between       []int // those that had not come when before came
	doubled       bool
	listed        bool // it stands in the manifest, where tests have ended
}

// raw takes a signal without a trailer.
func (s *sequence) raw(text string, line int, at time.Time) {
	r := record{text: text, line: line, at: at}
	switch {
	case !s.strict && s.highest == 0:
		s.state.apply(r)
	case len(s.raws) >= maxRaw:
		s.sum.Truncated = true
	default:
		s.raws = append(s.raws, raw{record: r, after: s.last, doubled: s.doubled, listed: s.listing})
	}
}

// lookAhead is how many records after a signal without a number are awaited before it counts: where output comes
// twice, it may be a copy of one of them.
const lookAhead = 8

// waits says that record seq cannot be applied yet, because a signal before it is to be decided on.
func (s *sequence) waits(seq int) bool {
	return slices.ContainsFunc(s.raws, func(r raw) bool { return r.settled(seq) && !s.surrounded(r) })
}

// surrounded says whether the records that r may be a copy of are all known.
func (s *sequence) surrounded(r raw) bool {
	if r.before-r.after > maxGaps {
		return false
	}
	last := r.before + lookAhead
	if s.count >= 0 {
		last = min(last, s.count)
	}
	for seq := r.after + 1; seq <= last; seq++ {
		if !s.known(seq) || s.gone[seq] {
			return false
		}
	}
	return true
}

// settle decides on the signals that came before record seq with its trailer.
func (s *sequence) settle(seq int) {
	kept := s.raws[:0]
	var ready []raw
	for _, r := range s.raws {
		if r.settled(seq) {
			ready = append(ready, r)
		} else {
			kept = append(kept, r)
		}
	}
	s.raws = kept
	for len(ready) > 0 {
		n := 1
		for n < len(ready) && ready[n].after == ready[0].after && ready[n].before == ready[0].before {
			n++
		}
		s.judge(ready[:n])
		ready = ready[n:]
	}
}

// settled says whether record seq comes late enough to decide on r. Where the numbers go back, output came twice,
// and r may be a copy of the record that was to come next.
func (r *raw) settled(seq int) bool {
	return r.before != 0 && r.before <= seq && (r.before > r.after || seq > r.after+1)
}

// judge decides on the signals of one interval. Where every number between its ends came with its trailer, they are
// the test's own, once each. Where some did not, a signal may be the remains of one of them: it does not count when
// it looks like one, and is reported as missing otherwise.
func (s *sequence) judge(rs []raw) {
	lost, healed := len(rs[0].between), s.late(rs[0].between)
	once := map[string]bool{}
	for _, r := range rs {
		_, copied := s.texts[s.hash(r.text)]
		switch like := resembles(healed, r.text); {
		case like >= 0:
			healed = append(healed[:like], healed[like+1:]...)
			lost--
			s.sum.Copies++
		case copied || once[r.text]:
			s.sum.Copies++
		case (r.listed || rs[0].doubled) && (!wellFormed(r.text) || s.beside(r)):
			// What grew together where output came twice.
			s.sum.Copies++
		case r.listed || rs[0].doubled || rs[0].before <= rs[0].after || lost > 0 || !s.surrounded(r) || !wellFormed(r.text) || s.beside(r):
			lost--
			s.state.doubt(r.record)
		default:
			s.state.apply(r.record)
		}
		once[r.text] = true
	}
}

// maxRecent is how many of the last records are remembered.
const maxRecent = 64

// beside says whether a neighbor of r reports on the same case. When a stretch of output comes twice, the end of
// its first copy may be grown together with the start of the second.
func (s *sequence) beside(r raw) bool {
	for seq := r.after - lookAhead; seq <= min(r.before, r.after+maxRecent)+lookAhead; seq++ {
		if sameSubject(r.text, s.recent[seq]) {
			return true
		}
	}
	return false
}

// missing lists the numbers between two that did not come with their trailer so far.
func (s *sequence) missing(after, before int) (all []int) {
	for n := after + 1; n < before && len(all) < maxGaps; n++ {
		if !s.seen[n] {
			all = append(all, n)
		}
	}
	return all
}

// late is the texts of records that came late, or in the manifest only.
func (s *sequence) late(seqs []int) (texts []string) {
	for _, n := range seqs {
		if t, ok := s.healed[n]; ok {
			texts = append(texts, t)
		} else if t, ok := s.recent[n]; ok {
			texts = append(texts, t)
		}
	}
	return texts
}

// maxFlips is how many bytes of a damaged signal may differ from the whole one.
const maxFlips = 8

// resembles is the index of the text that s is, or is the remains of: with a stretch lost or put in, or with some
// bytes changed; -1 for none.
func resembles(texts []string, s string) int {
	if i := slices.Index(texts, s); i >= 0 {
		return i
	}
	return slices.IndexFunc(texts, func(t string) bool {
		head, tail, short := 0, 0, min(len(s), len(t))
		for head < short && s[head] == t[head] {
			head++
		}
		for tail < short-head && s[len(s)-1-tail] == t[len(t)-1-tail] {
			tail++
		}
		if head+tail >= short {
			return true
		}
		flips := 0
		for i := range short {
			if s[i] != t[i] {
				flips++
			}
		}
		return len(s) == len(t) && flips <= maxFlips
	})
}
