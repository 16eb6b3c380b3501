package signal

import (
	"slices"
	"strings"
)

// raw is a signal without a number, between two that came with theirs.
type raw struct {
	record
	after, before int   // their numbers; before is 0 until it comes
	between       []int // those that had not come when before came
	doubled       bool
	listed        bool // it stands in the manifest, where tests have ended
	part          bool // it is what is left of a signal
	trail         bool // a damaged trailer comes after it
	owner         int  // the number of the trailer after it, whose checksum does not fit; 0 for none, elsewhere for one of another run
}

// raw takes a signal without a trailer.
func (s *sequence) raw(r raw) {
	switch {
	case r.line > 0 && r.line < s.state.opts.Since: // no test ran
	case !s.strict && s.highest == 0 && r.trail:
	case !s.strict && s.highest == 0 && r.part:
		s.state.doubt(r.record)
	case !s.strict && s.highest == 0:
		s.state.apply(r.record)
	case len(s.raws) >= maxRaw:
		s.sum.Truncated = true
	default:
		r.after, r.doubled, r.listed = s.last, s.doubled, s.listing
		s.raws = append(s.raws, r)
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
	j := judgement{lost: len(rs[0].between), healed: s.late(rs[0].between)}
	rs = slices.DeleteFunc(rs, func(r raw) bool { // what is whole is told first
		like := slices.Index(j.healed, r.text)
		if like >= 0 {
			j.heal(like)
			s.sum.Copies++
		}
		return like >= 0
	})
	j.whole = map[string]bool{}
	for _, r := range rs {
		j.whole[r.text] = j.whole[r.text] || !r.part
	}
	once := map[string]bool{}
	for _, r := range rs {
		if r.trail { // of one with a number, which tells it
			s.sum.Copies++
			continue
		}
		if r.part || r.owner > 0 {
			if s.rest(&j, r) {
				s.state.doubt(r.record)
			} else {
				s.sum.Copies++
			}
			continue
		}
		j.start = false
		_, copied := s.texts[s.hash(r.text)]
		switch like := slices.IndexFunc(j.healed, func(t string) bool { return resembles(t, r.text, !wellFormed(r.text)) }); {
		case like >= 0:
			j.heal(like)
			s.sum.Copies++
		case copied || once[r.text]:
			s.sum.Copies++
		case (r.listed || rs[0].doubled) && (!wellFormed(r.text) || s.beside(r)):
			// What grew together where output came twice.
			s.sum.Copies++
		case r.owner == elsewhere || r.listed || rs[0].doubled || rs[0].before <= rs[0].after || j.lost > 0 ||
			!s.surrounded(r) || !wellFormed(r.text) || s.beside(r):
			j.lost--
			s.state.doubt(r.record)
		default:
			s.state.apply(r.record)
		}
		once[r.text] = true
	}
}

// judgement is what is left to tell of the numbers of an interval that did not come with their trailers.
type judgement struct {
	lost   int
	healed []string // the texts of those that came in another way
	whole  map[string]bool
	start  bool // the start of a signal was reported last: what comes next may be its end
}

func (j *judgement) heal(i int) {
	j.healed = slices.Delete(j.healed, i, i+1)
	j.lost--
}

// rest says whether what is left of a signal is to be reported: it is not when it is of one that has a number, since
// that is told by its number.
func (s *sequence) rest(j *judgement, r raw) bool {
	after := j.start
	j.start = false
	if r.owner > 0 {
		text := s.late([]int{r.owner})
		return len(text) > 0 && !near(text[0], r.text)
	}
	if after && !strings.HasPrefix(r.text, lavaStart) || j.whole[r.text] {
		return false
	}
	if like := slices.IndexFunc(j.healed, r.remains); like >= 0 {
		j.heal(like)
		return false
	}
	if j.lost > len(j.healed) || s.copied(r) {
		j.lost = max(j.lost-1, len(j.healed))
		return false
	}
	j.start = strings.HasPrefix(r.text, lavaStart)
	return true
}

// leastPart is what the start of a signal has to have to tell which one it is.
const leastPart = len(signalStart + "TESTCASE TEST_CASE_ID=")

// remains says whether what is left may be of a text: it is a part of it, or begins like it.
func (r *raw) remains(text string) bool {
	same, _, _ := alike(text, r.text)
	return same > leastPart || strings.Contains(text, r.text) || resembles(text, r.text, true)
}

// copied says whether what is left is of a record that is known: where output comes twice, the copy's ends are cut.
func (s *sequence) copied(r raw) bool {
	if r.listed {
		return true // tests have ended
	}
	for seq := r.after - lookAhead; seq <= min(r.before, r.after+maxRecent)+lookAhead; seq++ {
		if text := s.recent[seq]; text != "" && (len(r.text) > leastPart || r.doubled) && strings.Contains(text, r.text) {
			return true
		}
	}
	return false
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
const maxFlips = 3

// near says whether s, which has a text's trailer, may be the text.
func near(text, s string) bool {
	head, tail, short := alike(text, s)
	return head+tail >= short-maxFlips || resembles(text, s, true)
}

// alike is how much two texts have in common at their starts and ends, and the length of the shorter.
func alike(text, s string) (head, tail, short int) {
	short = min(len(s), len(text))
	for head < short && s[head] == text[head] {
		head++
	}
	for tail < short-head && s[len(s)-1-tail] == text[len(text)-1-tail] {
		tail++
	}
	return head, tail, short
}

// resembles says whether s is a text, or is the remains of it: with a stretch lost or put in, or with some bytes
// changed. What was put in without breaking the signal is no part of a name.
func resembles(text, s string, broken bool) bool {
	head, tail, short := alike(text, s)
	if head+tail >= short {
		return broken || len(s) <= len(text) || strings.ContainsAny(s[head:len(s)-tail], " <>[")
	}
	flips := 0
	for i := range short {
		if s[i] != text[i] {
			flips++
		}
	}
	return len(s) == len(text) && flips <= maxFlips
}
