package signal

import (
	"bytes"
	"hash/crc32"
	"slices"
)

// withoutKernel is the window up to limit without the lines, or ends of lines, that begin as the kernel's do; nil when
// there are none.
func (w *window) withoutKernel(limit int) *view {
	if !slices.ContainsFunc(w.places, func(p place) bool { return p.stamp >= 0 && p.stamp < limit }) {
		return nil
	}
	v := &view{}
	for i, p := range w.places {
		if p.off > limit {
			break
		}
		end := limit
		if i+1 < len(w.places) {
			end = min(end, w.places[i+1].off)
		}
		if p.stamp >= 0 {
			end = min(end, max(p.stamp, p.off))
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

// spend takes checksummed bytes from the budget; false when it has none left.
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

// withoutStretch looks for a stretch of text[start:end] without which the checksum fits: a message that was printed
// into the signal. It ends where a line ends, or it begins as the kernel's lines do. The result is the signal, which
// begins with before, or nil, and where the stretch is.
func (w *window) withoutStretch(
	digits string, want uint32, before []byte, start, end int,
) (signal []byte, from, to int) {
	text, tries := w.text[start:end], 0
	fits := func(head uint32, q int) bool {
		tries++
		return crc32.Update(head, crc32.IEEETable, text[q:]) == want
	}
	for _, m := range stamps(text) {
		head := crc32.Update(checksum(digits, before), crc32.IEEETable, text[:m[0]])
		for q := m[1]; q <= len(text) && tries < maxTries && w.spend(len(text)-q+1); q++ {
			if fits(head, q) {
				return slices.Concat(before, text[:m[0]], text[q:]), start + m[0], start + q
			}
		}
	}
	for _, place := range w.places {
		q := place.off - start
		if q <= 0 || q > len(text) {
			continue
		}
		head := checksum(digits, before)
		for p := 0; p < q && tries < maxTries && w.spend(len(text)-q); p++ {
			if fits(head, q) {
				return slices.Concat(before, text[:p], text[q:]), start + p, start + q
			}
			head = crc32.Update(head, crc32.IEEETable, text[p:p+1])
		}
	}
	return nil, 0, 0
}
