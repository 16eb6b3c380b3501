package signal

import (
	"hash/maphash"
	"math"
	"strings"
	"time"
)

// sequence puts the records into the order of their numbers, and decides which signals without a number count.
type sequence struct {
	run     int // the number of this run
	past    *History
	other   bool // another run's runner has begun to end, or that run's manifest to come
	max     int  // the highest number taken
	strict  bool // the target runs our helpers
	state   *state
	sum     *Summary
	applied int            // records up to this one are applied
	held    map[int]record // those after a gap
	bytes   int            // of their texts, and of healed's
	seen    map[int]bool   // numbers above applied, or of any gap that closed, that came with their own trailer
	highest int            // number seen
	count   int            // of records, by the manifest; -1 before it
	last    int            // number of the last signal that came with its own trailer
	doubled bool           // that one had come before
	listing bool           // the manifest has begun
	byside  map[int]bool   // the records that the results device had first
	raws    []raw
	seed    maphash.Seed
	texts   map[uint64]struct{} // of all records
	healed  map[int]string      // the records that only the manifest had
	recent  map[int]string      // the last records
	gone    map[int]bool        // the numbers given up on
	sums    map[int]uint32      // the checksums of all records
}

// maxHeld is the most bytes of records that are kept because an earlier one has not come: a manifest of 100,000 results
// has 10 MB. With more, the run is incomplete.
const maxHeld = 32 << 20

// record is a numbered signal.
type record struct {
	seq    int
	sum    uint32
	of     *past // the run it is of, of those before this one; nil for this one
	run    int   // that one's number
	text   string
	line   int
	at     time.Time // zero when only the manifest had it
	sent   bool      // it was urgent, and emitted already
	joined bool      // it has no number, and was put together again
}

func newSequence(limit int, o *Options, s *state, sum *Summary) *sequence {
	return &sequence{
		run: o.Run, past: o.History, sums: map[int]uint32{}, max: limit, strict: o.Sequenced, state: s, sum: sum,
		held: map[int]record{}, seen: map[int]bool{}, count: -1,
		seed: maphash.MakeSeed(), texts: map[uint64]struct{}{}, healed: map[int]string{}, recent: map[int]string{},
		gone: map[int]bool{}, byside: map[int]bool{},
	}
}

func (s *sequence) hash(text string) uint64 { return maphash.String(s.seed, text) }

func (s *sequence) known(seq int) bool {
	_, held := s.held[seq]
	return held || seq <= s.applied
}

// direct takes a signal that came with its trailer; false when it was known.
func (s *sequence) direct(f *frame, text string, line int, at time.Time) bool {
	seq := f.seq
	r := record{seq: seq, sum: f.crc, text: text, line: line, at: at}
	if f.run != s.run {
		fresh := s.overdue(f, r)
		s.doubled = s.doubled || !fresh
		return fresh
	}
	s.other = false
	if seq < 1 || seq > s.max {
		s.sum.Truncated = true
		return false
	}
	again := s.seen[seq] || seq <= s.applied && !s.byside[seq]
	if again {
		s.sum.Copies++
	}
	s.bound(seq, again)
	s.seen[seq] = true
	fresh := s.take(r)
	s.listing = s.listing && !fresh
	s.apply()
	return fresh
}

// bound ends the interval in which signals without a number wait. Again says that seq came before: the output around it
// came twice.
func (s *sequence) bound(seq int, again bool) {
	var between []int
	for i := len(s.raws) - 1; i >= 0 && s.raws[i].before == 0; i-- {
		if between == nil {
			between = s.missing(s.last, seq)
		}
		s.raws[i].before, s.raws[i].between, s.raws[i].doubled = seq, between, s.doubled || again
	}
	s.last, s.doubled = seq, again
}

// echo takes a trailer whose signal is not before it. When it is the trailer of a record that is known, it came twice.
func (s *sequence) echo(f *frame) {
	if text, ok := s.recent[f.seq]; ok && checksum(f.digits, []byte(text)) == f.crc {
		s.doubled = true
	}
}

// aside takes a record from the results device.
func (s *sequence) aside(f *frame, text string, at time.Time) {
	seq, r := f.seq, record{seq: f.seq, sum: f.crc, text: text, at: at}
	if f.run != s.run {
		s.overdue(f, r)
		return
	}
	if seq < 1 || seq > s.max {
		s.sum.Truncated = true
		return
	}
	if s.take(r) {
		s.byside[seq] = true
		s.sum.Device++
	}
	s.apply()
}

// record takes a record of the manifest.
func (s *sequence) record(f *frame, text string, line int) {
	seq, r := f.seq, record{seq: f.seq, sum: f.crc, text: text, line: line}
	if s.other = f.run != s.run; s.other {
		s.overdue(f, r)
		return
	}
	if seq < 1 || seq > s.max {
		s.sum.Truncated = true
		return
	}
	s.listing = true
	if s.take(r) {
		s.sum.Recovered++
		s.healed[seq] = text
	}
}

func (s *sequence) take(r record) bool {
	if s.known(r.seq) {
		if sum, ok := s.sums[r.seq]; ok && sum != r.sum {
			s.state.conflict(s.state.suiteName(), s.run, r)
			s.sums[r.seq] = r.sum
		}
		return false
	}
	if s.bytes+len(r.text) > maxHeld && r.seq != s.applied+1 {
		s.sum.Truncated = true
		return false
	}
	s.sums[r.seq] = r.sum
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
	s.bytes += len(r.text)
	return true
}

func (s *sequence) manifest(f *frame, line int) {
	count := f.seq
	if s.other = f.run != s.run; s.other {
		if p := s.past.runs[f.run]; p != nil && count <= s.max {
			p.highest = max(p.highest, count)
		}
		return
	}
	if count > s.max {
		s.sum.Truncated = true
		return
	}
	s.count, s.sum.Manifest = max(s.count, count), true
	s.apply()
	s.state.emit(Item{Line: line, Manifest: true})
}

func (s *sequence) exit(line int) {
	if s.sum.Exit || s.other || line > 0 && line < s.state.opts.Since {
		return // of another run, which has just repeated its own records
	}
	s.sum.Exit = true
	s.state.emit(Item{Line: line, Exit: true})
}

// whole says that the manifest came in, and nothing is missing.
func (s *sequence) whole() bool { return s.count >= 0 && !s.incomplete() }

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
		if !ok || s.waits(r.seq) {
			return
		}
		s.settle(r.seq)
		s.next(r)
	}
}

func (s *sequence) next(r record) {
	delete(s.held, r.seq)
	if _, kept := s.healed[r.seq]; !kept {
		s.bytes -= len(r.text)
	}
	s.applied = r.seq
	s.state.apply(r)
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
			s.gone[s.applied] = s.applied-from < maxGaps
		}
		if gaps++; gaps <= maxGaps {
			s.state.lost(from, s.applied, s.held[s.applied+1].text, s.nextBoundary())
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
