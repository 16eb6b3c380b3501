package testlog

import (
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"time"
)

// sequence puts the records into the order of their numbers, and decides which signals without a number count.
type sequence struct {
	max     int  // the highest number taken
	strict  bool // the target runs our helpers
	state   *state
	sum     *Summary
	applied int            // records up to this one are applied
	held    map[int]record // those after a gap
	seen    map[int]bool   // numbers above applied, or of any gap that closed, that came with their own trailer
	highest int            // number seen
	count   int            // of records, by the manifest; -1 before it
	last    int            // number of the last signal that came with its own trailer
	doubled bool           // that one had come before
	raws    []raw
	seed    maphash.Seed
	texts   map[uint64]struct{} // of all records
	healed  map[int]string      // the records that only the manifest had
	recent  map[int]string      // the last records
}

// record is a numbered signal.
type record struct {
	seq  int
	text string
	line int
	at   time.Time // zero when only the manifest had it
	sent bool      // it was urgent, and emitted already
}

// raw is a signal without a number, between two that came with theirs.
type raw struct {
	record
	after, before int // their numbers; before is 0 until it comes
	doubled       bool
}

func newSequence(limit int, strict bool, s *state, sum *Summary) *sequence {
	return &sequence{
		max: limit, strict: strict, state: s, sum: sum, held: map[int]record{}, seen: map[int]bool{}, count: -1,
		seed: maphash.MakeSeed(), texts: map[uint64]struct{}{}, healed: map[int]string{}, recent: map[int]string{},
	}
}

func (s *sequence) hash(text string) uint64 { return maphash.String(s.seed, text) }

func (s *sequence) known(seq int) bool {
	_, held := s.held[seq]
	return held || seq <= s.applied
}

// direct takes a signal that came with its trailer; false when it was known.
func (s *sequence) direct(seq int, text string, line int, at time.Time) bool {
	r := record{seq: seq, text: text, line: line, at: at}
	if seq < 1 || seq > s.max {
		s.sum.Truncated = true
		return false
	}
	again := s.seen[seq] || seq <= s.applied
	if again {
		s.sum.Copies++
	}
	s.bound(seq, again)
	s.seen[seq] = true
	fresh := s.take(r)
	s.apply()
	return fresh
}

// bound ends the interval in which signals without a number wait. Again says that seq came before: the output around it
// came twice.
func (s *sequence) bound(seq int, again bool) {
	for i := len(s.raws) - 1; i >= 0 && s.raws[i].before == 0; i-- {
		s.raws[i].before, s.raws[i].doubled = seq, s.doubled || again
	}
	s.last, s.doubled = seq, again
}

// record takes a record of the manifest.
func (s *sequence) record(seq int, text string, line int) {
	if seq < 1 || seq > s.max {
		s.sum.Truncated = true
		return
	}
	if s.take(record{seq: seq, text: text, line: line}) {
		s.sum.Recovered++
		s.healed[seq] = text
	}
}

func (s *sequence) take(r record) bool {
	if s.known(r.seq) {
		return false
	}
	s.texts[s.hash(r.text)] = struct{}{}
	if cut := strings.IndexByte(r.text, '>') + 1; cut < len(r.text) {
		// What raw signals end at.
		s.texts[s.hash(r.text[:cut])] = struct{}{}
	}
	s.highest = max(s.highest, r.seq)
	s.recent[r.seq] = r.text
	delete(s.recent, r.seq-maxRecent)
	s.sum.Records++
	r.sent = s.state.urgent(r)
	s.held[r.seq] = r
	return true
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
		s.raws = append(s.raws, raw{record: r, after: s.last, doubled: s.doubled})
	}
}

func (s *sequence) manifest(count, line int) {
	if count > s.max {
		s.sum.Truncated = true
		return
	}
	s.count, s.sum.Manifest = max(s.count, count), true
	s.apply()
	s.state.emit(Item{Line: line, Manifest: true})
}

func (s *sequence) exit(line int) {
	if s.sum.Exit {
		return
	}
	s.sum.Exit = true
	s.state.emit(Item{Line: line, Exit: true})
}

func (s *sequence) incomplete() bool {
	if s.strict && s.count < 0 {
		return true
	}
	return s.applied < max(s.highest, s.count)
}

// apply applies what is next by number, and the signals without number before each.
func (s *sequence) apply() {
	for {
		r, ok := s.held[s.applied+1]
		if !ok {
			return
		}
		s.settle(r.seq)
		s.next(r)
	}
}

func (s *sequence) next(r record) {
	delete(s.held, r.seq)
	s.applied = r.seq
	s.state.apply(r)
}

// settle decides on the signals that came before record seq with its trailer.
func (s *sequence) settle(seq int) {
	kept := s.raws[:0]
	var ready []raw
	for _, r := range s.raws {
		if r.before != 0 && r.before <= seq {
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

// judge decides on the signals of one interval. Where every number between its ends came with its trailer, they are
// the test's own, once each. Where some did not, a signal may be the remains of one of them: it does not count when
// it looks like one, and is reported as missing otherwise.
func (s *sequence) judge(rs []raw) {
	lost, healed := s.damaged(rs[0].after, rs[0].before)
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
		case rs[0].doubled || lost > 0 || !wellFormed(r.text) || s.beside(r):
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

// beside says whether a neighbour of r reports on the same case. When a stretch of output comes twice, the end of
// its first copy may be grown together with the start of the second.
func (s *sequence) beside(r raw) bool {
	return sameSubject(r.text, s.recent[r.after]) || sameSubject(r.text, s.recent[r.before])
}

// damaged counts the numbers between two that did not come with their trailer, and returns what the manifest had of them.
func (s *sequence) damaged(after, before int) (lost int, healed []string) {
	for n := after + 1; n < before && n-after <= maxGaps; n++ {
		if s.seen[n] {
			continue
		}
		lost++
		if t, ok := s.healed[n]; ok {
			healed = append(healed, t)
		}
	}
	return lost, healed
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

// close gives up on what has not come.
func (s *sequence) close() {
	if s.strict || s.highest > 0 {
		end := math.MaxInt
		if s.count >= 0 {
			end = max(s.count, s.highest) + 1
		}
		s.bound(end, false)
	}
	gaps, all := 0, max(s.highest, s.count)
	for s.applied < all {
		if r, ok := s.held[s.applied+1]; ok {
			s.settle(r.seq)
			s.next(r)
			continue
		}
		from := s.applied + 1
		for s.applied < all && !s.has(s.applied+1) {
			s.applied++
		}
		if gaps++; gaps <= maxGaps {
			s.state.lost(from, s.applied, s.nextBoundary())
		}
	}
	s.settle(math.MaxInt)
	if s.strict && s.count < 0 {
		s.state.noManifest()
	}
}

func (s *sequence) has(seq int) bool { _, ok := s.held[seq]; return ok }

// maxLook is how many records after a gap are looked at for the run they belong to.
const maxLook = 10_000

// nextBoundary is the first start or end of a run after a gap and before the next: it tells which run the records
// before it belong to; "" when there is none.
func (s *sequence) nextBoundary() string {
	for n := s.applied + 1; n <= min(s.highest, s.applied+maxLook); n++ {
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
