// Package printk reads what the kernel puts before a message on a console: "<6>[   12.345678][ T1234] ", the level
// where the console shows it, the time since boot (CONFIG_PRINTK_TIME) and the caller (CONFIG_PRINTK_CALLER).
package printk

import (
	"bytes"
	"strings"
)

// Prefix is what stands before a message, as places in a text.
type Prefix struct {
	Start int // of the level, or of the time's bracket if there is none
	Stamp int // after the time's closing bracket
	End   int // after the caller's closing bracket, or Stamp if there is none; of Message, after the blank, too

	Time   []byte // seconds since boot, such as 12.345678
	Caller []byte // T and a thread's id or C and a CPU's number; nil if there is none
}

// What printk prints is shorter; these bound what is taken for it.
const (
	maxLevel   = 3  // digits
	maxSeconds = 9  // digits
	fraction   = 6  // digits
	maxCaller  = 10 // digits
)

// Find is the first time stamp in text, wherever it stands, with its level and its caller.
func Find(text []byte) (p Prefix, ok bool) { return find(text, false) }

// Message is the first prefix in text that is whole: a blank or the end of the line follows it.
func Message(text []byte) (p Prefix, ok bool) { return find(text, true) }

// Begins is the prefix at the beginning of text.
func Begins(text []byte) (p Prefix, ok bool) {
	at := 0
	if len(text) > 0 && text[0] == '<' {
		at = bytes.IndexByte(text[:min(len(text), maxLevel+2)], '>') + 1
	}
	if p, ok = parse(text, at, fraction); ok && p.Start == 0 {
		return p, true
	}
	return Prefix{}, false
}

func find(text []byte, whole bool) (p Prefix, ok bool) {
	for base := 0; ; {
		i := bytes.IndexByte(text[base:], '[')
		if i < 0 {
			return Prefix{}, false
		}
		if p, ok = parse(text, base+i, fraction); ok && (!whole || p.whole(text)) {
			return p, true
		}
		base += i + 1
	}
}

// whole says whether the message follows p, and goes to its beginning.
func (p *Prefix) whole(text []byte) bool {
	if p.End == len(text) {
		return true
	}
	switch text[p.End] {
	case ' ', '\t':
		p.End++
		return true
	case '\r', '\n':
		return true
	}
	return false
}

// parse reads the stamp whose bracket is at i, with a fraction of that many digits, or of any number for 0.
func parse(text []byte, i, fraction int) (p Prefix, ok bool) {
	if i >= len(text) || text[i] != '[' {
		return Prefix{}, false
	}
	from := blanks(text, i+1)
	dot := digits(text, from, maxSeconds)
	if dot == from || dot >= len(text) || text[dot] != '.' {
		return Prefix{}, false
	}
	to := digits(text, dot+1, maxSeconds)
	if n := to - dot - 1; n == 0 || fraction > 0 && n != fraction || to >= len(text) || text[to] != ']' {
		return Prefix{}, false
	}
	p = Prefix{Start: level(text, i), Stamp: to + 1, End: to + 1, Time: text[from:to]}
	p.caller(text)
	return p, true
}

// caller reads the caller behind the stamp: [ T123] or [    C0], and since Linux 6.17 [ T123@C0].
func (p *Prefix) caller(text []byte) {
	i := p.Stamp
	if i >= len(text) || text[i] != '[' {
		return
	}
	from := blanks(text, i+1)
	if from >= len(text) || text[from] != 'T' && text[from] != 'C' {
		return
	}
	to := digits(text, from+1, maxCaller)
	if to == from+1 {
		return
	}
	end := to
	if end < len(text) && text[end] == '@' {
		if end++; end < len(text) && text[end] == 'C' {
			end++
		}
		cpu := digits(text, end, maxCaller)
		if cpu == end {
			return
		}
		end = cpu
	}
	if end < len(text) && text[end] == ']' {
		p.Caller, p.End = text[from:to], end+1
	}
}

// level is where the <6> before the bracket at i begins, or i.
func level(text []byte, i int) int {
	if i == 0 || text[i-1] != '>' {
		return i
	}
	from := i - 1
	for from > 0 && i-1-from < maxLevel && isDigit(text[from-1]) {
		from--
	}
	if from > 0 && from < i-1 && text[from-1] == '<' {
		return from - 1
	}
	return i
}

func blanks(text []byte, i int) int {
	for i < len(text) && text[i] == ' ' {
		i++
	}
	return i
}

// digits is the end of the digits at i, of at most that many.
func digits(text []byte, i, most int) int {
	end := min(len(text), i+most)
	for i < end && isDigit(text[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// Trim is a line without the prefix at its beginning, and without a level that stands alone. It takes a time of any
// precision, as tools print it that show the kernel's log.
func Trim(line string) string {
	if line == "" || line[0] != '[' && line[0] != '<' {
		return line
	}
	text := []byte(line[:min(len(line), longest)])
	at := 0
	if text[0] == '<' {
		end := digits(text, 1, maxLevel)
		if end == 1 || end >= len(text) || text[end] != '>' {
			return line
		}
		at = end + 1
	}
	if p, ok := parse(text, at, 0); ok {
		at = p.End
		return strings.TrimPrefix(line[at:], " ")
	}
	return line[at:]
}

// longest is more than any prefix has, in bytes.
const longest = 128
