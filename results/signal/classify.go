package signal

import (
	"slices"
	"strings"
)

// unnumbered is a signal without a trailer, or what is left of one. It stands in an interval: between two signals that
// came with theirs.
type unnumbered struct {
	record
	after, before int   // the numbers of those two; before is 0 until the second has come
	between       []int // the numbers between them that had not come with a trailer when the second one came

	fragment      bool // it is not whole
	repeated      bool // the output around it came twice
	inManifest    bool // it stands in the manifest, where tests have ended
	beforeTrailer bool // what comes after it is nearly a trailer
	owner         int  // the number of the trailer after it, whose checksum does not fit it; 0 for none
}

// otherRun is the owner of a signal before a damaged trailer of another run.
const otherRun = -1

// maxUnnumbered bounds how many wait to be classified.
const maxUnnumbered = 10_000

// neighborhood is how many records around an interval its signals are compared with: where output comes twice, a signal
// may be a copy of one of them. Those after it are waited for.
const neighborhood = 8

// addUnnumbered takes a signal without a trailer. It is classified when its interval has ended and the records around
// are known. Where the target does not run our helpers, all signals are a test's own.
func (s *sequence) addUnnumbered(u unnumbered) {
	foreign := !s.strict && s.highest == 0
	switch {
	case u.line > 0 && u.line < s.state.opts.Since: // no test ran
	case foreign && u.beforeTrailer:
	case foreign && u.fragment:
		s.state.doubtful(u.record)
	case foreign:
		s.state.apply(u.record)
	case len(s.pending) >= maxUnnumbered:
		s.sum.Truncated = true
	default:
		u.after, u.repeated, u.inManifest = s.last, s.repeated, s.inManifest
		s.pending = append(s.pending, u)
	}
}

// closeInterval ends the interval in which signals wait. Again says that seq came before: the output around it came
// twice.
func (s *sequence) closeInterval(seq int, again bool) {
	var between []int
	for i := len(s.pending) - 1; i >= 0 && s.pending[i].before == 0; i-- {
		if between == nil {
			between = s.unseen(s.last, seq)
		}
		u := &s.pending[i]
		u.before, u.between, u.repeated = seq, between, s.repeated || again
	}
	s.last, s.repeated = seq, again
}

// unseen lists the numbers between two that did not come with their trailer so far.
func (s *sequence) unseen(after, before int) (all []int) {
	for n := after + 1; n < before && len(all) < maxGaps; n++ {
		if !s.seen[n] {
			all = append(all, n)
		}
	}
	return all
}

// precedes reports whether u is classified before record seq is applied. Where the numbers go back, output came twice,
// and u may be a copy of the record that was to come next.
func (u *unnumbered) precedes(seq int) bool {
	return u.before != 0 && u.before <= seq && (u.before > u.after || seq > u.after+1)
}

// blocked says that record seq cannot be applied yet, because a signal before it cannot be classified.
func (s *sequence) blocked(seq int) bool {
	return slices.ContainsFunc(s.pending, func(u unnumbered) bool { return u.precedes(seq) && !s.neighborsKnown(u) })
}

// neighborsKnown reports whether all records are known that u may be a copy of.
func (s *sequence) neighborsKnown(u unnumbered) bool {
	if u.before-u.after > maxGaps {
		return false
	}
	last := u.before + neighborhood
	if s.count >= 0 {
		last = min(last, s.count)
	}
	for seq := u.after + 1; seq <= last; seq++ {
		if !s.known(seq) || s.lost[seq] {
			return false
		}
	}
	return true
}

// classify decides on the signals before record seq, interval by interval.
func (s *sequence) classify(seq int) {
	var ready, later []unnumbered
	for _, u := range s.pending {
		if u.precedes(seq) {
			ready = append(ready, u)
		} else {
			later = append(later, u)
		}
	}
	s.pending = later
	for len(ready) > 0 {
		n := 1
		for n < len(ready) && ready[n].after == ready[0].after && ready[n].before == ready[0].before {
			n++
		}
		s.classifyInterval(ready[:n])
		ready = ready[n:]
	}
}

// class is what an unnumbered signal is taken for.
type class int

const (
	own       class = iota // a test's own: it counts
	duplicate              // a copy or the remains of a record that counts, or is reported missing, by its number
	doubtful               // it may be either: it is reported as missing, since guessing could invent or lose a result
)

// interval is what is known of the numbered signals between which unnumbered ones stand.
type interval struct {
	s          *sequence
	repeated   bool            // the output around the first of its signals came twice
	missing    int             // numbers that none of its signals is known to be the remains of
	texts      []string        // of those numbers, the records that came in another way
	whole      map[string]bool // the signals that stand there whole
	seen       map[string]bool // of these, the ones classified already
	afterStart bool            // the start of a signal was reported: what comes next may be its end
}

func (s *sequence) classifyInterval(all []unnumbered) {
	iv := &interval{
		s: s, missing: len(all[0].between), texts: s.textsOf(all[0].between),
		whole: map[string]bool{}, seen: map[string]bool{},
	}
	all = slices.DeleteFunc(all, func(u unnumbered) bool { // those that are whole find their record first
		same := iv.match(func(text string) bool { return text == u.text })
		if same {
			s.sum.Copies++
		}
		return same
	})
	for i, u := range all {
		if i == 0 {
			iv.repeated = u.repeated
		}
		iv.whole[u.text] = iv.whole[u.text] || !u.fragment
	}
	for _, u := range all {
		switch iv.classOf(&u) {
		case own:
			s.state.apply(u.record)
		case duplicate:
			s.sum.Copies++
		case doubtful:
			s.state.doubtful(u.record)
		}
	}
}

// match finds a record that fits, among those that came in another way, and counts it as explained.
func (iv *interval) match(fits func(text string) bool) bool {
	i := slices.IndexFunc(iv.texts, fits)
	if i >= 0 {
		iv.texts = slices.Delete(iv.texts, i, i+1)
		iv.missing--
	}
	return i >= 0
}

// classOf is what a signal is. The first rule that fits counts, here and in the two functions below.
func (iv *interval) classOf(u *unnumbered) class {
	if u.beforeTrailer { // it had a number
		return duplicate
	}
	afterStart := iv.afterStart
	iv.afterStart = false
	switch {
	case u.owner > 0: // the manifest has the signal of that trailer
		if text := iv.s.textsOf([]int{u.owner}); len(text) > 0 && !near(text[0], u.text) {
			return doubtful
		}
		return duplicate
	case u.fragment:
		return iv.fragmentClass(u, afterStart)
	}
	return iv.wholeClass(u)
}

// fragmentClass is what the remains of a signal are.
func (iv *interval) fragmentClass(u *unnumbered, afterStart bool) class {
	switch {
	case afterStart && !strings.HasPrefix(u.text, lavaStart), iv.whole[u.text]:
		return duplicate // the signal has been classified, or will be
	case iv.match(u.remainsOf):
		return duplicate
	case iv.missing > len(iv.texts) || iv.s.cutCopy(u): // a number is missing, and is reported by itself
		iv.missing = max(iv.missing-1, len(iv.texts))
		return duplicate
	}
	iv.afterStart = strings.HasPrefix(u.text, lavaStart)
	return doubtful
}

// wholeClass is what a whole signal is.
func (iv *interval) wholeClass(u *unnumbered) class {
	s := iv.s
	_, known := s.hashes[s.hash(u.text)]
	again := iv.seen[u.text]
	iv.seen[u.text] = true
	well := wellFormed(u.text)
	twice := u.inManifest || iv.repeated
	switch {
	case iv.match(func(text string) bool { return resembles(text, u.text, !well) }), known, again:
		return duplicate
	case twice && (!well || s.sameSubjectNearby(u)): // the end of one copy, run together with the start of the next
		return duplicate
	case u.owner == otherRun, twice, u.before <= u.after, iv.missing > 0, !s.neighborsKnown(*u), !well,
		s.sameSubjectNearby(u):
		iv.missing--
		return doubtful
	}
	return own
}

// textsOf are the texts of those records, of some numbers, that came late, or in the manifest only.
func (s *sequence) textsOf(seqs []int) (texts []string) {
	for _, n := range seqs {
		if t, ok := s.recovered[n]; ok {
			texts = append(texts, t)
		} else if t, ok := s.recent[n]; ok {
			texts = append(texts, t)
		}
	}
	return texts
}
