package signal

import (
	"bytes"
	"hash/crc32"
	"slices"
	"time"
)

// window holds the output since the last frame, in which the next one is looked for: a trailer's signal, and a record
// of the manifest, may have lines of the kernel in them. What gets too old for that is given up.
type window struct {
	text   []byte
	places []place // of the parts of the text, in order
	order  *sequence
	sum    *Summary
	device bool // it reads the results device
	owner  int  // the number of the damaged trailer before which signals are passed on; 0 for none, or otherRun
	budget int  // checksummed bytes that reassembly may still spend
}

// place says where a part of the text came from: a line of the console, or a piece of one.
type place struct {
	off   int // in the text
	line  int // of the console
	at    time.Time
	first bool // it begins a line
	trace bool // the shell's trace of a command: "+ echo …"
	stamp int  // where in the text a kernel's line begins in this part, or -1
}

// Reassembly may spend so many checksummed bytes at once, and so many for each byte of output, so that hostile
// output costs time in proportion to its length.
const (
	burst   = 4 << 20
	perByte = 200
)

func newWindow(order *sequence, sum *Summary) *window {
	return &window{order: order, sum: sum, budget: burst}
}

// view is the window's text with stretches left out.
type view struct {
	text []byte
	cuts []cut
}

// cut says that from at on, the view's text is the window's text from off on.
type cut struct{ at, off int }

// origin is where the byte before the view's position i was in the window, plus one.
func (v *view) origin(i int) int {
	for n, c := range slices.Backward(v.cuts) {
		if c.at < i || n == 0 {
			return c.off + i - c.at
		}
	}
	return i
}

// add takes the next piece, handles the frames that it completes, and gives up what is too old.
func (w *window) add(p piece) {
	w.budget = min(w.budget+perByte*(len(p.text)+1), burst)
	at := place{off: len(w.text), line: p.line, at: p.at, first: p.first, trace: p.first && traced(p.text), stamp: -1}
	if i, _ := findStamp(p.text); i >= 0 {
		at.stamp = len(w.text) + i
	}
	w.places = append(w.places, at)
	w.text = append(w.text, p.text...)
	if bytes.IndexByte(p.text, '>') >= 0 {
		for w.next() {
		}
	}
	for len(w.places) > maxPieces || len(w.text) > maxWindow && len(w.places) > 1 {
		w.drop(w.places[1].off)
	}
	if len(w.text) > maxWindow {
		w.drop(len(w.text))
	}
}

// traced reports whether a line is the shell's trace: one + for each level, and a space.
func traced(line []byte) bool {
	rest := bytes.TrimLeft(line, "+")
	return len(rest) < len(line) && bytes.HasPrefix(rest, []byte(" "))
}

// flush gives everything up.
func (w *window) flush() { w.drop(len(w.text)) }

// next handles the first frame in the window, if there is one.
func (w *window) next() bool {
	plain := &view{w.text, []cut{{0, 0}}}
	if !bytes.Contains(w.text, []byte("<")) {
		return false
	}
	quiet := w.withoutKernel(len(w.text))
	best, in := w.find(plain), plain
	if quiet != nil {
		// A frame that only shows without the kernel's lines counts when it comes first.
		if f := w.find(quiet); f != nil && (best == nil || quiet.origin(f.end) < plain.origin(best.end)) {
			best, in = f, quiet
		}
	}
	if best == nil {
		return false
	}
	end := in.origin(best.end)
	if best.kind == kindTrailer {
		w.trailer(best, in, plain, quiet)
	} else {
		start := in.origin(best.start+1) - 1
		w.giveUp(start, start)
		w.kernelLines(start, end, end, claimed)
		w.handle(best, end)
	}
	w.cut(end)
	return true
}

// find looks for the first complete frame of a view. A record whose checksum does not fit any end of it yet is not
// complete: more of it may come.
func (w *window) find(v *view) *frame {
	for base := 0; ; {
		i := bytes.IndexByte(v.text[base:], '<')
		if i < 0 {
			return nil
		}
		base += i
		f := frameAt(v.text, base)
		switch {
		case f == nil:
			base++
			continue
		case f.kind == kindRecord && !w.recordEnd(f, v.text):
		case f.kind == kindManifest && checksum(f.digits, []byte(Manifest)) != f.crc:
		default:
			return f
		}
		base = f.end
	}
}

// perTry is what looking for one more end costs beside the bytes, in the budget's unit.
const perTry = 64

// maxEnds bounds how many ">" are tried as a record's last.
const maxEnds = 32

// recordEnd looks for the ">" that fits the checksum of a manifest's record.
func (w *window) recordEnd(f *frame, text []byte) bool {
	rest := text[f.end:]
	sum, done := crc32.ChecksumIEEE([]byte(f.digits+" <")), 0
	for range maxEnds {
		i := bytes.IndexByte(rest[done:], '>')
		if i < 0 || !w.spend(i+perTry) {
			return false
		}
		sum = crc32.Update(sum, crc32.IEEETable, rest[done:done+i+1])
		if done += i + 1; sum == f.crc {
			f.body, f.end = append([]byte("<"), rest[:done]...), f.end+done
			return true
		}
	}
	return false
}

// handle handles a frame that is no trailer.
func (w *window) handle(f *frame, end int) {
	at := w.place(end - 1)
	switch f.kind {
	case kindRecord:
		if w.device {
			w.order.addCopy(f, string(f.body), at.at)
		} else {
			w.order.addRecord(f, string(f.body), at.line)
		}
	case kindManifest:
		w.order.endManifest(f, at.line)
	default:
		w.order.exit(at.line)
	}
}

// place is the one that off is in.
func (w *window) place(off int) place { return w.places[w.at(off)] }

// at is the index of the place that off is in.
func (w *window) at(off int) int {
	for i, p := range slices.Backward(w.places) {
		if p.off <= off {
			return i
		}
	}
	return 0
}

// drop gives up the text up to off.
func (w *window) drop(off int) {
	w.cut(w.giveUp(off, len(w.text)))
}

// cut removes the text up to off.
func (w *window) cut(off int) {
	n := 0
	for n+1 < len(w.places) && w.places[n+1].off <= off {
		n++
	}
	w.text = append(w.text[:0], w.text[off:]...)
	w.places = append(w.places[:0], w.places[n:]...)
	for i := range w.places {
		w.places[i].off = max(w.places[i].off-off, 0)
		if w.places[i].stamp >= 0 {
			w.places[i].stamp = max(w.places[i].stamp-off, -1)
		}
	}
	if len(w.text) == 0 {
		w.places = w.places[:0]
	}
}
