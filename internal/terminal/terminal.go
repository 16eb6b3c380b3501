// Package terminal removes from the bytes of a console what a terminal does not show: ECMA-48 escapes (colors, titles,
// cursor moves) and control characters. A console may be hostile or damaged, so no escape hides more than 256 bytes,
// nor anything after the line it begins in.
package terminal

import "bytes"

// limit is the most bytes that an escape may have. A longer one is noise, and the text goes on after it.
const limit = 256

// ESC begins an escape.
const ESC = 0x1b

// state is where a stream is within an escape.
type state uint8

const (
	text     state = iota
	escaped        // after ESC
	sequence       // after ESC [: parameters, then one final byte
	charset        // after ESC and an intermediate byte: one final byte
	str            // after ESC ], P, X, ^ or _: to BEL or ESC \
	strEnd         // after an ESC in such a string
)

// Escapes follows the escapes of a stream, byte by byte. The zero value is at the beginning of one.
type Escapes struct {
	in  state
	len int // bytes of the escape so far
}

// Drop says whether the next byte of the stream is not text: a carriage return, or a byte of an escape.
func (e *Escapes) Drop(b byte) bool {
	if e.in == text {
		if b == ESC {
			e.in, e.len = escaped, 1
			return true
		}
		return b == '\r'
	}
	if e.len++; b == '\n' || e.len > limit {
		e.in = text
		return b == '\r'
	}
	e.step(b)
	return true
}

// step goes on by one byte within an escape.
func (e *Escapes) step(b byte) {
	if b == ESC {
		if e.in == str {
			e.in = strEnd
		} else {
			e.in, e.len = escaped, 1
		}
		return
	}
	switch e.in {
	case text:
	case escaped:
		e.in = begin(b)
	case sequence:
		if b >= 0x40 && b <= 0x7e {
			e.in = text
		}
	case charset:
		if b >= 0x30 {
			e.in = text
		}
	case str:
		if b == 0x07 {
			e.in = text
		}
	case strEnd:
		if b == '\\' {
			e.in = text
		} else { // the ESC broke the string off, and began another escape
			e.in, e.len = begin(b), 2
		}
	}
}

// begin is the state after ESC b.
func begin(b byte) state {
	switch b {
	case '[':
		return sequence
	case ']', 'P', 'X', '^', '_':
		return str
	}
	if b >= 0x20 && b < 0x30 {
		return charset
	}
	return text
}

// Inside says that the next byte of the stream belongs to an escape, or ends a broken one.
func (e *Escapes) Inside() bool { return e.in != text }

// Plain is the number of bytes at the beginning of b, which comes next in the stream, that are text.
func (e *Escapes) Plain(b []byte) int {
	if e.in != text {
		return 0
	}
	if i := bytes.IndexByte(b, '\r'); i >= 0 {
		b = b[:i]
	}
	if i := bytes.IndexByte(b, ESC); i >= 0 {
		b = b[:i]
	}
	return len(b)
}

// Strip is what a terminal shows of b: without carriage returns and escapes, and of an escape that has no end without
// all that a terminal takes for a part of it. Other control characters stay. It is b itself if there is nothing to
// remove.
func Strip(b []byte) []byte {
	var e Escapes
	n := e.Plain(b)
	if n == len(b) {
		return b
	}
	out := append(make([]byte, 0, len(b)), b[:n]...)
	for b = b[n:]; len(b) > 0; {
		if n := e.Plain(b); n > 0 {
			out, b = append(out, b[:n]...), b[n:]
			continue
		}
		if !e.Drop(b[0]) {
			out = append(out, b[0])
		}
		b = b[1:]
	}
	return out
}

// Text is what b may say: without complete escapes, and without control characters but the tab. An escape that has no
// end loses only the two bytes that begin it, so that a damaged console hides no message behind one. It is b itself if
// there is nothing to remove.
func Text(b []byte) []byte {
	n := 0
	for n < len(b) && !control(b[n]) {
		n++
	}
	if n == len(b) {
		return b
	}
	out := append(make([]byte, 0, len(b)), b[:n]...)
	for n < len(b) {
		switch {
		case b[n] == ESC:
			n += length(b[n:])
		case control(b[n]):
			n++
		default:
			out, n = append(out, b[n]), n+1
		}
	}
	return out
}

// length is that of the escape which b begins with, or of the two bytes that begin one without an end.
func length(b []byte) int {
	e := Escapes{in: escaped, len: 1}
	for i, c := range b[1:] {
		n := i + 2
		again := c == ESC && e.in != str || e.in == strEnd && c != '\\'
		if n > limit || again || control(c) && (e.in != str || c != 0x07 && c != ESC) {
			break
		}
		if e.step(c); e.in == text {
			return n
		}
	}
	if len(b) > 1 && !control(b[1]) {
		return 2
	}
	return 1
}

func control(c byte) bool { return c < ' ' && c != '\t' || c == 0x7f }
