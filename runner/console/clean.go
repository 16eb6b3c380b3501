package console

import (
	"bytes"
	"cmp"
	"slices"
)

// escape is where a cleaner is within a terminal escape.
type escape uint8

const (
	text      escape = iota
	escaped          // after ESC
	sequence         // after ESC [: parameters, then one final byte
	charset          // after ESC and an intermediate byte: one final byte
	control          // after ESC ], P, X, ^ or _: to BEL or ESC \
	controlST        // after the ESC of that ESC \
)

// escapeLimit is the most bytes an escape may have: a longer one is noise, and text goes on.
const escapeLimit = 256

// cleaner drops what a terminal would not show as text: carriage returns and ECMA-48 escapes. A line feed ends any
// escape, so that a broken one cannot hide the next line.
type cleaner struct {
	in  escape
	len int // bytes of the escape so far
}

const esc = 0x1b

// drop says that b is no text, and goes on to the next byte.
func (c *cleaner) drop(b byte) bool {
	if c.in == text {
		if b == esc {
			c.in, c.len = escaped, 1
			return true
		}
		return b == '\r'
	}
	if c.len++; b == '\n' || c.len > escapeLimit {
		c.in = text
		return b == '\r'
	}
	if b == esc {
		if c.in == control {
			c.in = controlST
		} else {
			c.in, c.len = escaped, 1
		}
		return true
	}
	switch c.in {
	case escaped:
		c.in = begins(b)
	case sequence:
		if b >= 0x40 && b <= 0x7e {
			c.in = text
		}
	case charset:
		if b >= 0x30 {
			c.in = text
		}
	case control:
		if b == 0x07 {
			c.in = text
		}
	case controlST:
		c.in = control
		if b == '\\' {
			c.in = text
		}
	}
	return true
}

// begins is what follows ESC b.
func begins(b byte) escape {
	switch b {
	case '[':
		return sequence
	case ']', 'P', 'X', '^', '_':
		return control
	}
	if b >= 0x20 && b < 0x30 {
		return charset
	}
	return text
}

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
func (x *cleaned) add(c *cleaner, raw []byte, off int64) {
	x.text = slices.Grow(x.text, len(raw))
	for len(raw) > 0 {
		if n := plain(c, raw); n > 0 {
			x.runs = append(x.runs, run{len(x.text), off})
			x.text = append(x.text, raw[:n]...)
			raw, off = raw[n:], off+int64(n)
			continue
		}
		if !c.drop(raw[0]) { // it ends an escape, and is text
			x.runs = append(x.runs, run{len(x.text), off})
			x.text = append(x.text, raw[0])
		}
		raw, off = raw[1:], off+1
	}
}

// plain is how many bytes of raw are text for certain.
func plain(c *cleaner, raw []byte) int {
	if c.in != text {
		return 0
	}
	if i := bytes.IndexByte(raw, '\r'); i >= 0 {
		raw = raw[:i]
	}
	if i := bytes.IndexByte(raw, esc); i >= 0 {
		raw = raw[:i]
	}
	return len(raw)
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
