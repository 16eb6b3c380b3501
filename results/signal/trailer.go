package signal

import "bytes"

// trailer handles a trailer: it looks for the signal that it belongs to, first where the signal is as it was printed,
// but for the kernel's lines in it, then where something else was printed into it.
func (w *window) trailer(f *frame, in, plain, quiet *view) {
	if w.wholeSignal(f, in, plain, quiet) || w.splitSignal(f, in) {
		return
	}
	w.sum.Damaged++
	at := in.origin(f.start+1) - 1
	switch {
	case f.run != w.order.run:
		w.order.damagedLate(f)
		w.giveUpBeforeTrailer(at, otherRun)
	case w.order.seen[f.seq]:
		w.order.repeatedTrailer(f)
		w.giveUp(at, at) // its signal has come
	default:
		w.order.repeatedTrailer(f)
		w.giveUpBeforeTrailer(at, f.seq)
	}
	w.kernelLines(at, in.origin(f.end), in.origin(f.end), claimed)
}

// wholeSignal takes the signal that ends where its trailer begins, in the view in which the trailer was found or in the
// others; false when its checksum fits none.
func (w *window) wholeSignal(f *frame, in, plain, quiet *view) bool {
	for _, v := range []*view{in, quiet, plain} {
		if v == nil {
			continue
		}
		end := f.start
		if v != in {
			if end = v.find(f); end < 0 {
				continue
			}
		}
		// In the kernel's log, a stamp stands between the signal and its trailer.
		ends := []int{end}
		if i := lastStamp(v.text[:end]); i >= 0 {
			ends = append(ends, i)
		}
		for _, end := range ends {
			for _, start := range starts(v.text[:end]) {
				if w.spend(end-start) && checksum(f.digits, v.text[start:end]) == f.crc {
					w.between(v.origin(end+1)-1, v.origin(ends[0]))
					w.found(f, v.text[start:end], v.origin(start+1)-1, in.origin(f.end), v != plain)
					return true
				}
			}
		}
	}
	return false
}

// splitSignal takes the signal of a trailer that fits its checksum without a stretch that was printed into it; false
// when there is none.
func (w *window) splitSignal(f *frame, in *view) bool {
	end := in.origin(f.start+1) - 1
	for _, start := range brackets(w.text[:end]) {
		text, from, to := w.withoutStretch(f.digits, f.crc, nil, start, end)
		if text == nil {
			continue
		}
		if p := w.place(start); p.stamp >= 0 && p.stamp < start {
			from = p.stamp // it may have taken the bracket of one in the kernel's line
		}
		w.scan(&view{w.text[from:to], []cut{{0, from}}}, to, claimed)
		w.found(f, text, start, in.origin(f.end), true)
		return true
	}
	return false
}

// between passes on the signals that lie between a signal and its trailer.
func (w *window) between(from, to int) {
	if from < to && mayHoldSignal(w.text[from:to]) {
		w.scan(&view{w.text[from:to], []cut{{0, from}}}, to, claimed)
	}
}

// find is where the same trailer begins in another view, or -1.
func (v *view) find(f *frame) int {
	return bytes.Index(v.text, []byte(trailerStart+f.digits+" "+hex8(f.crc)+">"))
}

// found takes a numbered signal whose checksum fits, after what is left before it and in the kernel's lines in it.
func (w *window) found(f *frame, text []byte, start, end int, reassembled bool) {
	w.giveUp(start, start)
	w.kernelLines(start, end, end, claimed)
	if at := w.place(start); w.order.addSignal(f, string(text), at.line, at.at) && reassembled {
		w.sum.Reassembled++
	}
}
