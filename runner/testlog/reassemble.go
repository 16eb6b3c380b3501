package testlog

import (
	"bytes"
	"hash/crc32"
	"regexp"
	"slices"
)

// withoutKernel is the window without the lines, or ends of lines, that begin as the kernel's do; nil when there are none.
func (w *window) withoutKernel() *view {
	if !slices.ContainsFunc(w.places, func(p place) bool { return p.stamp >= 0 }) {
		return nil
	}
	v := &view{}
	for i, p := range w.places {
		end := len(w.text)
		if i+1 < len(w.places) {
			end = w.places[i+1].off
		}
		if p.stamp >= 0 {
			end = max(p.stamp, p.off)
		}
		if end > p.off || len(v.cuts) == 0 {
			v.cuts = append(v.cuts, cut{len(v.text), p.off})
			v.text = append(v.text, w.text[p.off:end]...)
		}
	}
	return v
}

// maxStarts bounds how many places are tried as a signal's start.
const maxStarts = 6

// starts are the places where a signal may begin, the last first.
func starts(text []byte) []int {
	var at []int
	for end := len(text); len(at) < maxStarts; {
		i := max(bytes.LastIndex(text[:end], []byte(lavaStart)), bytes.LastIndex(text[:end], []byte(ownStart)))
		if i < 0 {
			break
		}
		at, end = append(at, i), i
	}
	return at
}

func (w *window) spend(n int) bool {
	w.budget -= n
	return w.budget > 0
}

// brackets are the places of the last "<"s, the last first: a signal's first letters may be apart.
func brackets(text []byte) []int {
	var at []int
	for end := len(text); len(at) < 2*maxStarts; {
		i := bytes.LastIndexByte(text[:end], '<')
		if i < 0 {
			break
		}
		at, end = append(at, i), i
	}
	return at
}

// maxTries bounds the candidates for one signal. Each has a chance of 2^-32 to fit by accident.
const maxTries = 4000

// without looks for a stretch of text[start:end] without which the checksum fits: a message that was printed into
// the signal. It ends where a line ends, or it begins as the kernel's lines do. The result is the signal, which
// begins with before, or nil.
func (w *window) without(digits string, want uint32, before []byte, start, end int) []byte {
	text, tries := w.text[start:end], 0
	fits := func(head uint32, q int) bool {
		tries++
		return crc32.Update(head, crc32.IEEETable, text[q:]) == want
	}
	for _, m := range stamps(text) {
		head := crc32.Update(checksum(digits, before), crc32.IEEETable, text[:m[0]])
		for q := m[1]; q < len(text) && tries < maxTries && w.spend(len(text)-q); q++ {
			if fits(head, q) {
				return slices.Concat(before, text[:m[0]], text[q:])
			}
		}
	}
	for _, place := range w.places {
		q := place.off - start
		if q <= 0 || q >= len(text) {
			continue
		}
		head := checksum(digits, before)
		for p := 0; p < q && tries < maxTries && w.spend(len(text)-q); p++ {
			if fits(head, q) {
				return slices.Concat(before, text[:p], text[q:])
			}
			head = crc32.Update(head, crc32.IEEETable, text[p:p+1])
		}
	}
	return nil
}

var rawSignal = regexp.MustCompile(`<LAVA_SIGNAL_([A-Z]+) ([^<>]+)>|<LAVA_TEST_RUNNER INSTALL_FAIL>|<LAVA_MULTI_NODE> ?<LAVA_(?:SEND|SYNC|WAIT|WAIT_ALL) [^<>]+>`)

// salvage takes what can be had from the text before off: signals without a trailer, and split manifest records.
func (w *window) salvage(off int) {
	w.records(off)
	w.raw(off, -1)
}

// salvageDamaged does so before a trailer at off whose checksum fits nothing: the signal just before it is its own.
func (w *window) salvageDamaged(off int) {
	w.records(off)
	w.raw(off, off)
}

// raw reports the signals without trailer before off, but one that ends at own.
func (w *window) raw(off, own int) {
	if !bytes.Contains(w.text[:off], []byte(lavaStart)) {
		return
	}
	for _, m := range rawSignal.FindAllIndex(w.text[:off], -1) {
		p := w.place(m[0])
		switch {
		case m[1] == own || nearlyTrailer(w.text[m[1]:]) || grown(w.text[m[0]+1:m[1]]):
			// The remains of a numbered one.
		case p.trace:
			w.sum.Copies++
		default:
			w.order.raw(string(w.text[m[0]:m[1]]), p.line, p.at)
		}
	}
}

// grown says whether a signal has the start of another thing of the protocol in it.
func grown(text []byte) bool {
	return bytes.Contains(text, []byte("GANTRY_")) || bytes.Count(text, []byte("LAVA_SIGNAL_")) > 1
}

// nearlyTrailer says whether text begins with a damaged trailer: its first letters, or half of them, are in place.
func nearlyTrailer(text []byte) bool {
	for _, other := range []string{recordStart, manifestStart, ownStart} {
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
	for next := bytes.Index(w.text[:off], []byte(recordStart)); next >= 0; {
		start, end := next, off
		if next = bytes.Index(w.text[start+1:off], []byte(recordStart)); next >= 0 {
			next += start + 1
			end = next
		}
		f := frameAt(w.text[:end], start)
		if f == nil || w.order.known(f.seq) {
			continue
		}
		if n := bytes.LastIndexByte(w.text[f.end:end], '>'); n >= 0 {
			if text := w.without(f.digits, f.crc, []byte("<"), f.end, f.end+n+1); text != nil {
				w.order.record(f.seq, string(text), w.place(start).line)
			}
		}
	}
}
