package console

import (
	"cmp"
	"slices"

	"github.com/gantry-ci/gantry/internal/terminal"
)

// cleaned is text without what a terminal would not show, and where each byte of it is in the record.
type cleaned struct {
	text []byte
	runs []run // in order; the first is at 0
}

// run is a part of the text whose bytes are neighbors in the record too.
type run struct {
	at  int   // in text
	off int64 // in the record
}

// add cleans more bytes of the record, which begin at off.
func (x *cleaned) add(e *terminal.Escapes, raw []byte, off int64) {
	x.text = slices.Grow(x.text, len(raw))
	for len(raw) > 0 {
		if n := e.Plain(raw); n > 0 {
			x.runs = append(x.runs, run{len(x.text), off})
			x.text = append(x.text, raw[:n]...)
			raw, off = raw[n:], off+int64(n)
			continue
		}
		if !e.Drop(raw[0]) { // it ends an escape, and is text
			x.runs = append(x.runs, run{len(x.text), off})
			x.text = append(x.text, raw[0])
		}
		raw, off = raw[1:], off+1
	}
}

// index is the place in the text of the first byte at or after off in the record.
func (x *cleaned) index(off int64) int {
	i, ok := slices.BinarySearchFunc(x.runs, off, func(r run, off int64) int { return cmp.Compare(r.off, off) })
	if ok {
		return x.runs[i].at
	}
	if i == 0 {
		return 0
	}
	end := len(x.text)
	if i < len(x.runs) {
		end = x.runs[i].at
	}
	return int(min(int64(x.runs[i-1].at)+off-x.runs[i-1].off, int64(end)))
}

// offset is where the byte at i of the text is in the record.
func (x *cleaned) offset(i int) int64 {
	lo, hi := 0, len(x.runs) // the last run at or before i
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; x.runs[mid].at <= i {
			lo = mid
		} else {
			hi = mid
		}
	}
	if len(x.runs) == 0 {
		return 0
	}
	return x.runs[lo].off + int64(i-x.runs[lo].at)
}
