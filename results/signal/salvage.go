package signal

import (
	"bytes"
	"regexp"
)

// salvage takes what can be had from the text before off: signals without a trailer, and split manifest records. A
// signal that begins there ends before limit. The result is where what is taken ends: off, or after it.
func (w *window) salvage(off, limit int) int {
	w.records(off)
	return w.raw(off, limit, -1)
}

// salvageDamaged does so before a trailer at off whose checksum fits nothing: the signal just before it is its own,
// unless the manifest tells otherwise.
func (w *window) salvageDamaged(off, seq int) {
	w.records(off)
	w.owner = seq
	w.raw(off, off, off)
	w.owner = 0
}

var (
	rawSignal = regexp.MustCompile(
		`^(?:` + signalStart + `([A-Z]+) ([^<>]+)>|` + runnerStart + installFail + `>|` +
			`<` + Multinode + `> ?<LAVA_(?:SEND|SYNC|WAIT|WAIT_ALL) [^<>]+>)`,
	)
	// rawRest is what is left of a result that was cut: its start, or what comes after it.
	rawRest = regexp.MustCompile(
		signalStart + `T[^<>]*>?|TESTCASE TEST_CASE_ID=[^<>]*>?|[^<]TEST_CASE_ID=[^<>]* RESULT=[^<>]*>?`,
	)
)

// raw reports the signals without trailer that begin before off and end before limit, but one that ends at own, and
// what is left of results that cannot be put together. The result is the end of the last, or off.
func (w *window) raw(off, limit, own int) int {
	if !mayHoldRaw(w.text[:limit]) {
		return off
	}
	past := max(off, w.scan(w.calm(limit), off, own))
	w.kernel(0, off, limit, own)
	return past
}

// claimed is what own is within a signal whose trailer is known to be its own: no other before it can be.
const claimed = -2

// kernel reports the signals without trailer in the kernel's lines that begin in a stretch of the window: tests may
// print there, too.
func (w *window) kernel(from, to, limit, own int) {
	for i, p := range w.places {
		if p.stamp < from || p.stamp >= to {
			continue
		}
		end := limit
		if i+1 < len(w.places) {
			end = min(end, w.places[i+1].off)
		}
		if mayHoldRaw(w.text[p.stamp:end]) {
			w.scan(&view{w.text[p.stamp:end], []cut{{0, p.stamp}}}, limit, own)
		}
	}
}

// mayHoldRaw says whether there may be a signal, wherever it was cut.
func mayHoldRaw(text []byte) bool {
	for _, mark := range []string{lavaStart, "_SIGNAL_", "TEST_CASE_ID="} {
		if bytes.Contains(text, []byte(mark)) {
			return true
		}
	}
	return false
}

// calm is the text up to limit without the kernel's lines.
func (w *window) calm(limit int) *view {
	if v := w.withoutKernel(limit); v != nil {
		return v
	}
	return &view{w.text[:limit], []cut{{0, 0}}}
}

// scan reports what begins before off in a view, and says where it ends.
func (w *window) scan(v *view, off, own int) (past int) {
	report := func(from, to int, part bool) {
		start, end := v.origin(from+1)-1, v.origin(to)
		if start >= off {
			return
		}
		p := w.at(start)
		owner := 0
		if end == own {
			owner = w.owner
		}
		switch {
		case grown(v.text[from+1 : to]):
			// The remains of numbered ones.
		case w.traced(p, start):
			w.sum.Copies++
		default:
			at := w.places[p]
			w.order.raw(raw{
				record: record{text: string(v.text[from:to]), line: at.line, at: at.at, joined: end-start != to-from},
				part:   part || !w.unbroken(start, end) || quoted(v.text, to),
				owner:  owner,
				trail:  owner == 0 && own != claimed && nearlyTrailer(w.following(p, start, end)),
			})
		}
		past = max(past, end)
	}
	rest := func(from, to int) {
		for _, m := range rawRest.FindAllIndex(v.text[from:to], -1) {
			report(from+m[0], from+m[1], true)
		}
	}
	done := 0
	for base := 0; ; {
		i := bytes.Index(v.text[base:], []byte(lavaStart))
		if i < 0 {
			break
		}
		base += i
		if m := rawSignal.FindIndex(v.text[base:]); m != nil {
			rest(done, base)
			report(base, base+m[1], false)
			base += m[1]
			done = base
		} else {
			base++
		}
	}
	rest(done, len(v.text))
	return past
}

// quoted says whether what ends at to is the end of a quoted word: a trace of a command whose start was cut off.
func quoted(text []byte, to int) bool { return to < len(text) && (text[to] == '\'' || text[to] == '"') }

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

// traced says whether what begins at off, in the place k, is a word of the shell's trace of a command: it is quoted, or
// stands apart. What the command prints itself may be on the same line, where a newline is lost.
func (w *window) traced(k, off int) bool {
	p := w.places[k]
	if p.stamp >= 0 && off >= p.stamp {
		return false
	}
	own := w.text[p.off:off]
	if p.trace {
		return word(own)
	}
	before, trace := w.line(k)
	return trace && word(append(before, own...))
}

// word says whether a word of a trace begins after line.
func word(line []byte) bool {
	if len(line) == 0 {
		return false
	}
	switch c := line[len(line)-1]; c {
	case '\'', '"':
		return bytes.Count(line, []byte{c})%2 == 1
	case ' ', '=':
		return true
	}
	return false
}

// line is what there is of place k's line in the places before it, and says whether it is a trace. Kernel lines may lie
// inside it.
func (w *window) line(k int) (before []byte, trace bool) {
	for n := k; n > 0 && (w.places[n-1].stamp >= 0 || !w.places[n].first); n-- {
		p, end := w.places[n-1], w.places[n].off
		if p.stamp == p.off {
			continue
		}
		if p.stamp >= 0 {
			end = p.stamp
		}
		before, trace = w.line(n - 1)
		return append(before, w.text[p.off:end]...), trace
	}
	return nil, w.places[k].trace
}

// wrapWidth is where terminals wrap that do.
const wrapWidth = 80

// unbroken says whether the lines between two places are one line that the kernel, or a terminal's width, broke.
func (w *window) unbroken(start, end int) bool {
	for k := w.at(start) + 1; k < len(w.places) && w.places[k].off < end; k++ {
		before := w.places[k-1]
		if w.places[k].first && before.stamp < 0 && (!before.first || w.places[k].off-before.off != wrapWidth) {
			return false
		}
	}
	return true
}

// grown says whether a signal has the start of another thing of the protocol in it.
func grown(text []byte) bool {
	return bytes.Contains(text, []byte("GANTRY_")) || bytes.Count(text, []byte(Signal+"_")) > 1
}

// nearlyTrailer says whether text begins with a damaged trailer: its first letters, or half of them, are in place.
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

// records puts together the manifest's records that were split, before off.
func (w *window) records(off int) {
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
			if text, _, _ := w.without(f.digits, f.crc, []byte("<"), f.end, f.end+n+1); text != nil {
				w.order.record(f, string(text), w.place(start).line)
			}
		}
	}
}
