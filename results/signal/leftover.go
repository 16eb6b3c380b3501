package signal

import (
	"bytes"
	"regexp"
)

// giveUp takes what can be had from the window's text before off, which the window is about to drop: records of the
// manifest that were split, and signals without a trailer. A signal that begins there ends before limit. The result is
// where what was taken ends: off, or after it.
func (w *window) giveUp(off, limit int) int {
	w.splitRecords(off)
	return w.unnumbered(off, limit, noClaim)
}

// giveUpBeforeTrailer does so before a trailer at off whose checksum fits nothing: the signal just before it is that
// trailer's, the manifest will show which. Owner is the trailer's number, or otherRun.
func (w *window) giveUpBeforeTrailer(off, owner int) {
	w.splitRecords(off)
	w.owner = owner
	w.unnumbered(off, off, off)
	w.owner = 0
}

// What a damaged trailer claims as its signal is what ends where the trailer begins. These are for where none is.
const (
	noClaim = -1
	claimed = -2 // what is searched is within a signal whose trailer is known: no other trailer is of it
)

var (
	plainSignal = regexp.MustCompile(
		`^(?:` + signalStart + `([A-Z]+) ([^<>]+)>|` + runnerStart + installFail + `>|` +
			`<` + Multinode + `> ?<LAVA_(?:SEND|SYNC|WAIT|WAIT_ALL) [^<>]+>)`,
	)
	// signalFragment is what is left of a result that was cut: its start, or what comes after it.
	signalFragment = regexp.MustCompile(
		signalStart + `T[^<>]*>?|TESTCASE TEST_CASE_ID=[^<>]*>?|[^<]TEST_CASE_ID=[^<>]* RESULT=[^<>]*>?`,
	)
)

// unnumbered passes on the signals without a trailer that begin before off and end before limit, and what is left of
// results that cannot be put together. What ends at claim is a damaged trailer's. The result is the end of the last, or
// off.
func (w *window) unnumbered(off, limit, claim int) int {
	if !mayHoldSignal(w.text[:limit]) {
		return off
	}
	past := max(off, w.scan(w.testText(limit), off, claim))
	w.kernelLines(0, off, limit, claim)
	return past
}

// kernelLines passes on the signals without trailer in the kernel's lines that begin in a stretch of the window: tests
// may print there, too.
func (w *window) kernelLines(from, to, limit, claim int) {
	for i, p := range w.places {
		if p.stamp < from || p.stamp >= to {
			continue
		}
		end := limit
		if i+1 < len(w.places) {
			end = min(end, w.places[i+1].off)
		}
		if mayHoldSignal(w.text[p.stamp:end]) {
			w.scan(&view{w.text[p.stamp:end], []cut{{0, p.stamp}}}, limit, claim)
		}
	}
}

// mayHoldSignal reports whether there may be a signal, wherever it was cut.
func mayHoldSignal(text []byte) bool {
	for _, mark := range []string{lavaStart, "_SIGNAL_", "TEST_CASE_ID="} {
		if bytes.Contains(text, []byte(mark)) {
			return true
		}
	}
	return false
}

// testText is the text up to limit without the kernel's lines.
func (w *window) testText(limit int) *view {
	if v := w.withoutKernel(limit); v != nil {
		return v
	}
	return &view{w.text[:limit], []cut{{0, 0}}}
}

// scan passes on what begins before off in a view, and reports where that ends.
func (w *window) scan(v *view, off, claim int) (past int) {
	fragments := func(from, to int) {
		for _, m := range signalFragment.FindAllIndex(v.text[from:to], -1) {
			past = max(past, w.pass(v, from+m[0], from+m[1], off, claim, true))
		}
	}
	done := 0
	for base := 0; ; {
		i := bytes.Index(v.text[base:], []byte(lavaStart))
		if i < 0 {
			break
		}
		base += i
		m := plainSignal.FindIndex(v.text[base:])
		if m == nil {
			base++
			continue
		}
		fragments(done, base)
		past = max(past, w.pass(v, base, base+m[1], off, claim, false))
		base += m[1]
		done = base
	}
	fragments(done, len(v.text))
	return past
}

// pass passes on the signal, or the fragment of one, in a stretch of a view, when it begins before off in the window,
// and reports where it ends there; 0 for one that begins later.
func (w *window) pass(v *view, from, to, off, claim int, fragment bool) (past int) {
	start, end := v.origin(from+1)-1, v.origin(to)
	if start >= off {
		return 0
	}
	k := w.at(start)
	at := w.places[k]
	owner := 0
	if end == claim {
		owner = w.owner
	}
	switch {
	case merged(v.text[from+1 : to]):
		// The remains of numbered ones, which are reported by their numbers.
	case w.traced(k, start):
		w.sum.Copies++
	default:
		w.order.addUnnumbered(unnumbered{
			record:        record{text: string(v.text[from:to]), line: at.line, at: at.at, joined: end-start != to-from},
			fragment:      fragment || !w.oneLine(start, end) || quoted(v.text, to),
			owner:         owner,
			beforeTrailer: owner == 0 && claim != claimed && nearlyTrailer(w.following(k, start, end)),
		})
	}
	return end
}

// following is what comes after a signal that is in the place k: for one in the kernel's log, the kernel's next line.
func (w *window) following(k, start, end int) []byte {
	if p := w.places[k]; p.stamp < 0 || start < p.stamp {
		return w.text[end:]
	}
	if next, after := findStamp(w.text[end:]); next == 0 {
		return bytes.TrimLeft(w.text[end+after:], " ")
	}
	return nil
}

// merged reports whether a signal has the start of another thing of the protocol in it.
func merged(text []byte) bool {
	return bytes.Contains(text, []byte("GANTRY_")) || bytes.Count(text, []byte(Signal+"_")) > 1
}

// nearlyTrailer reports whether text begins with a damaged trailer: its first letters, or half of them, are in place.
func nearlyTrailer(text []byte) bool {
	for _, other := range []string{RecordStart, ManifestStart, ownStart} {
		if bytes.HasPrefix(text, []byte(other)) {
			return false
		}
	}
	head, same := 0, 0
	for i := range min(len(text), len(trailerStart)) {
		if text[i] == trailerStart[i] {
			same++
			if head == i {
				head++
			}
		}
	}
	return head >= len("<GAN") || same >= len(trailerStart)/2
}

// splitRecords puts together the manifest's records that were split, before off.
func (w *window) splitRecords(off int) {
	for next := bytes.Index(w.text[:off], []byte(RecordStart)); next >= 0; {
		start, end := next, off
		if next = bytes.Index(w.text[start+1:off], []byte(RecordStart)); next >= 0 {
			next += start + 1
			end = next
		}
		f := frameAt(w.text[:end], start)
		if f == nil || w.order.knows(f) {
			continue
		}
		if n := bytes.LastIndexByte(w.text[f.end:end], '>'); n >= 0 {
			if text, _, _ := w.withoutStretch(f.digits, f.crc, []byte("<"), f.end, f.end+n+1); text != nil {
				w.order.addRecord(f, string(text), w.place(start).line)
			}
		}
	}
}
