package signal

import "bytes"

// traced reports whether what begins at off, in the place k, is a word of the shell's trace of a command: it is quoted,
// or stands apart. What the command prints itself may be on the same line, where a newline is lost.
func (w *window) traced(k, off int) bool {
	p := w.places[k]
	if p.stamp >= 0 && off >= p.stamp {
		return false
	}
	own := w.text[p.off:off]
	if p.trace {
		return startsWord(own)
	}
	before, trace := w.lineBefore(k)
	return trace && startsWord(append(before, own...))
}

// startsWord reports whether a word of a trace begins after line.
func startsWord(line []byte) bool {
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

// lineBefore is what there is of place k's line in the places before it, and reports whether it is a trace. Kernel
// lines may lie inside it.
func (w *window) lineBefore(k int) (before []byte, trace bool) {
	for n := k; n > 0 && (w.places[n-1].stamp >= 0 || !w.places[n].first); n-- {
		p, end := w.places[n-1], w.places[n].off
		if p.stamp == p.off {
			continue
		}
		if p.stamp >= 0 {
			end = p.stamp
		}
		before, trace = w.lineBefore(n - 1)
		return append(before, w.text[p.off:end]...), trace
	}
	return nil, w.places[k].trace
}

// wrapWidth is where terminals wrap that do.
const wrapWidth = 80

// oneLine reports whether the lines between two places are one line that the kernel, or a terminal's width, broke.
func (w *window) oneLine(start, end int) bool {
	for k := w.at(start) + 1; k < len(w.places) && w.places[k].off < end; k++ {
		before := w.places[k-1]
		if w.places[k].first && before.stamp < 0 && (!before.first || w.places[k].off-before.off != wrapWidth) {
			return false
		}
	}
	return true
}

// quoted reports whether what ends at to is the end of a quoted word: a trace of a command whose start was cut off.
func quoted(text []byte, to int) bool { return to < len(text) && (text[to] == '\'' || text[to] == '"') }
