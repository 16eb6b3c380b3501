package signal

import (
	"hash/maphash"
	"strings"
	"time"
)

// sequence puts the records of a run into the order of their numbers, wherever each came from, and has them applied in
// that order.
type sequence struct {
	run     int // the number of this run
	history *History
	other   bool // the manifest of another run has begun to come
	max     int  // the highest number accepted
	strict  bool // the target runs our helpers
	state   *state
	sum     *Summary

	applied int            // records up to this one are applied
	held    map[int]record // those after a gap
	bytes   int            // of their texts, and of those of recovered
	highest int            // number seen
	count   int            // of records, by the manifest; -1 before it
	lost    map[int]bool   // the numbers given up on

	sums       map[int]uint32      // the checksums of all records
	seed       maphash.Seed        // of hashes
	hashes     map[uint64]struct{} // of the texts of all records
	recent     map[int]string      // the last records
	recovered  map[int]string      // the records that only the manifest had
	fromDevice map[int]bool        // the records that the results device had first

	seen       map[int]bool // numbers above applied, or of any gap that closed, that came with their own trailer
	last       int          // number of the last signal that came with its own trailer
	repeated   bool         // that one had come before
	inManifest bool         // the manifest has begun
	pending    []unnumbered // signals without a number, in the order in which they came
}

// maxHeld is the most bytes of records that are kept because an earlier one has not come: a manifest of 100,000 results
// has 10 MB. With more the run is incomplete.
const maxHeld = 32 << 20

// record is a signal, with a number or without.
type record struct {
	seq     int       // 0 without
	sum     uint32    // its checksum
	text    string    // "<LAVA_SIGNAL_…>"
	line    int       // of the console; 0 when it came by the device
	at      time.Time // zero when only the manifest had it
	earlier *endedRun // the earlier run that it is of; nil for this one
	run     int       // the number of the earlier run
	sent    bool      // it was urgent, and emitted already
	joined  bool      // it has no number, and was put together again
}

func newSequence(limit int, o *Options, s *state, sum *Summary) *sequence {
	return &sequence{
		run: o.Run, history: o.History, sums: map[int]uint32{}, max: limit, strict: o.Sequenced, state: s, sum: sum,
		held: map[int]record{}, seen: map[int]bool{}, count: -1,
		seed: maphash.MakeSeed(), hashes: map[uint64]struct{}{}, recovered: map[int]string{}, recent: map[int]string{},
		lost: map[int]bool{}, fromDevice: map[int]bool{},
	}
}

func (s *sequence) hash(text string) uint64 { return maphash.String(s.seed, text) }

// known reports whether the record has come, whichever way.
func (s *sequence) known(seq int) bool {
	_, held := s.held[seq]
	return held || seq <= s.applied
}

// addSignal takes a signal that came with its trailer; false when it was known.
func (s *sequence) addSignal(f *frame, text string, line int, at time.Time) bool {
	seq := f.seq
	r := record{seq: seq, sum: f.crc, text: text, line: line, at: at}
	if f.run != s.run {
		fresh := s.addLate(f, r)
		s.repeated = s.repeated || !fresh
		return fresh
	}
	s.other = false
	if seq < 1 || seq > s.max {
		s.sum.Truncated = true
		return false
	}
	again := s.seen[seq] || seq <= s.applied && !s.fromDevice[seq]
	if again {
		s.sum.Copies++
	}
	s.closeInterval(seq, again)
	s.seen[seq] = true
	fresh := s.accept(r)
	s.inManifest = s.inManifest && !fresh
	s.apply()
	return fresh
}

// repeatedTrailer takes a trailer without its signal. Where it is that of a record that is known, output came twice.
func (s *sequence) repeatedTrailer(f *frame) {
	if text, ok := s.recent[f.seq]; ok && checksum(f.digits, []byte(text)) == f.crc {
		s.repeated = true
	}
}

// addCopy takes a record from the results device.
func (s *sequence) addCopy(f *frame, text string, at time.Time) {
	seq, r := f.seq, record{seq: f.seq, sum: f.crc, text: text, at: at}
	if f.run != s.run {
		s.addLate(f, r)
		return
	}
	if seq < 1 || seq > s.max {
		s.sum.Truncated = true
		return
	}
	if s.accept(r) {
		s.fromDevice[seq] = true
		s.sum.Device++
	}
	s.apply()
}

// addRecord takes a record of the manifest.
func (s *sequence) addRecord(f *frame, text string, line int) {
	seq, r := f.seq, record{seq: f.seq, sum: f.crc, text: text, line: line}
	if s.other = f.run != s.run; s.other {
		s.addLate(f, r)
		return
	}
	if seq < 1 || seq > s.max {
		s.sum.Truncated = true
		return
	}
	s.inManifest = true
	if s.accept(r) {
		s.sum.Recovered++
		s.recovered[seq] = text
	}
}

// accept keeps a record until it is applied; false when it was known. Two different records with one number are
// reported once each time they differ.
func (s *sequence) accept(r record) bool {
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
	s.hashes[s.hash(r.text)] = struct{}{}
	if cut := strings.IndexByte(r.text, '>') + 1; cut < len(r.text) {
		// Of a text with a ">" in it, what is taken for a signal without a trailer ends there.
		s.hashes[s.hash(r.text[:cut])] = struct{}{}
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

// endManifest takes the manifest's last line, whose number is that of the last record.
func (s *sequence) endManifest(f *frame, line int) {
	count := f.seq
	if s.other = f.run != s.run; s.other {
		if p := s.history.runs[f.run]; p != nil && count <= s.max {
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

// exit takes the runner's last line, unless it is that of an earlier run, which has just printed its own manifest.
func (s *sequence) exit(line int) {
	if s.sum.Exit || s.other || line > 0 && line < s.state.opts.Since {
		return
	}
	s.sum.Exit = true
	s.state.emit(Item{Line: line, Exit: true})
}

// whole says that the manifest came in, and nothing is missing.
func (s *sequence) whole() bool { return s.count >= 0 && !s.incomplete() }

// incomplete reports whether records are known to be missing, or the manifest that would show it.
func (s *sequence) incomplete() bool {
	if s.strict && s.count < 0 {
		return true
	}
	return s.applied < max(s.highest, s.count)
}

// apply applies the records that are next by number, and before each the signals without a number that came before it.
func (s *sequence) apply() {
	for {
		r, ok := s.held[s.applied+1]
		if !ok || s.blocked(r.seq) {
			return
		}
		s.classify(r.seq)
		s.applyRecord(r)
	}
}

// applyRecord applies the next record.
func (s *sequence) applyRecord(r record) {
	delete(s.held, r.seq)
	if _, kept := s.recovered[r.seq]; !kept {
		s.bytes -= len(r.text)
	}
	s.applied = r.seq
	s.state.apply(r)
}
