// Package plaintext bounds text that others wrote, and makes it fit for records, pages and messages: valid UTF-8, not
// too long, and without what a terminal or a browser obeys.
package plaintext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// mark stands where a text was cut.
const mark = "…"

// Valid is s with U+FFFD for what is not UTF-8.
func Valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// Head is at most n bytes of s, as valid UTF-8 that ends between two characters, and without a mark.
func Head(s string, n int) string {
	if len(s) > n {
		s = s[:before(s, n)]
	}
	return Valid(s)
}

// before is the last place at or before n where a character of s begins.
func before(s string, n int) int {
	for i := n; i >= 0 && i > n-utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			return i
		}
	}
	return max(n, 0) // not UTF-8
}

// Clip is s as valid UTF-8 if it has at most n bytes, else its beginning and a mark, of n bytes together.
func Clip(s string, n int) string {
	s = Valid(s)
	if len(s) <= n {
		return s
	}
	return Head(s, max(n-len(mark), 0)) + mark
}

// Runes is at most n characters of s, without a mark.
func Runes(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

// Hidden reports whether r is not to be shown: a control character, one that changes the direction of a line, or a
// byte order mark.
func Hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\uFEFF'
}

// Printable is s with U+FFFD for what is not UTF-8 and for hidden characters other than those of keep.
func Printable(s, keep string) string {
	return strings.Map(func(r rune) rune {
		if Hidden(r) && !strings.ContainsRune(keep, r) {
			return unicode.ReplacementChar
		}
		return r
	}, Valid(s))
}

// Line is at most n bytes of s as one line: with blanks for tabs and line feeds, without other control characters, and
// without blanks around it.
func Line(s string, n int) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' {
			return ' '
		}
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, Head(s, n)))
}
