// Package logline prepares lines of a console for the readers of test formats, which are hostile input: what a terminal
// does not show, what the kernel puts before a line, and what is too long for a name.
package logline

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"
)

// Clean removes terminal escapes (ECMA-48) and carriage returns. A line without any is returned as it is.
func Clean(line []byte) []byte {
	if bytes.IndexByte(line, 0x1b) < 0 && bytes.IndexByte(line, '\r') < 0 {
		return line
	}
	out := make([]byte, 0, len(line))
	for len(line) > 0 {
		switch line[0] {
		case '\r':
			line = line[1:]
		case 0x1b:
			line = line[escape(line):]
		default:
			out, line = append(out, line[0]), line[1:]
		}
	}
	return out
}

// escape is the length of the escape that b begins with.
func escape(b []byte) int {
	if len(b) < 2 {
		return len(b)
	}
	i := 2
	switch b[1] {
	case '[': // parameters, and one final byte
		for i < len(b) && (b[i] < 0x40 || b[i] > 0x7e) {
			i++
		}
		return min(i+1, len(b))
	case ']', 'P', 'X', '^', '_': // to BEL or ESC \
		for i < len(b) && b[i] != 0x07 && b[i-1] != 0x1b {
			i++
		}
		return min(i+1, len(b))
	}
	if b[1] >= 0x20 && b[1] < 0x30 { // intermediate bytes, and one final byte
		for i < len(b) && b[i] < 0x30 {
			i++
		}
		return min(i+1, len(b))
	}
	return i
}

// ClipAt is the most of a name or a message that is kept, in bytes.
const ClipAt = 1 << 10

// Clip makes s fit for a name or a message.
func Clip(s string) string {
	if len(s) > ClipAt {
		s = s[:ClipAt]
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' {
			return ' '
		}
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s))
}

// TrimPrintk removes what the kernel puts before a line: "<6>", "[    1.234567] ", "[   T12] ".
func TrimPrintk(s string) string {
	if len(s) > 3 && s[0] == '<' {
		if level, rest, ok := strings.Cut(s[1:], ">"); ok && len(level) <= 3 && digits(level) {
			s = rest
		}
	}
	stamp, rest, ok := strings.Cut(s, "]")
	if !ok || len(stamp) < 4 || stamp[0] != '[' {
		return s
	}
	sec, frac, ok := strings.Cut(strings.TrimLeft(stamp[1:], " "), ".")
	if !ok || !digits(sec) || !digits(frac) {
		return s
	}
	if caller, after, ok := strings.Cut(rest, "]"); ok && strings.HasPrefix(caller, "[") {
		if c := strings.TrimLeft(caller[1:], " "); len(c) > 1 && (c[0] == 'T' || c[0] == 'C') && digits(c[1:]) {
			rest = after
		}
	}
	return strings.TrimPrefix(rest, " ")
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// stamp is what printk puts before a message on the console, with CONFIG_PRINTK_TIME and perhaps CONFIG_PRINTK_CALLER.
var stamp = regexp.MustCompile(`(?:<\d{1,3}>)?\[ {0,4}\d{1,9}\.\d{6}\](?:\[ {0,5}[TC]\d+\])? `)

// Stamped says that a line is the kernel's from its beginning.
func Stamped(s string) bool {
	at := stamp.FindStringIndex(s)
	return at != nil && at[0] == 0
}

// Interrupted returns what stands before a message of the kernel in the middle of a line. Without such a message it is
// the whole line, and false.
func Interrupted(s string) (head string, ok bool) {
	if strings.IndexByte(s, '[') < 1 {
		return s, false
	}
	at := stamp.FindStringIndex(s)
	if at == nil || at[0] == 0 {
		return s, false
	}
	return s[:at[0]], true
}

// Uninterrupted is a text without what the kernel printed into it on a console, with the numbers of its lines; nothing
// if there is no such message.
func Uninterrupted(text []byte, numbers []int) ([]byte, []int) {
	var out []byte
	var left []int
	found, within := false, false
	no := 0
	for line := range bytes.Lines(text) {
		s := string(line)
		head, ok := Interrupted(s)
		switch {
		case Stamped(s):
			found = true
		case ok:
			if out, found = append(out, head...), true; !within {
				left = append(left, numbers[no])
			}
			within = true
		default:
			if out = append(out, line...); !within {
				left = append(left, numbers[no])
			}
			within = false
		}
		no++
	}
	if !found {
		return nil, nil
	}
	return out, left
}
