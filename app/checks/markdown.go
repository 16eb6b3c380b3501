package checks

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/gantry-ci/gantry/internal/plaintext"
)

// text makes a hostile string inert in Markdown: no markup, no HTML, no mention, no control character, one line.
func text(s string, limit int) string {
	var b strings.Builder
	n := 0
	for _, r := range plaintext.Valid(s) {
		if n++; n > limit {
			b.WriteString("…")
			break
		}
		switch {
		case r == '\n', r == '\t', r == '\r':
			b.WriteByte(' ')
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			b.WriteRune('\uFFFD')
		case strings.ContainsRune("&<>|`*_[]()~#@!\\$:", r):
			fmt.Fprintf(&b, "&#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// code is text in a code font, where GitHub links nothing.
func code(s string, limit int) string { return "<code>" + text(s, limit) + "</code>" }

// plain makes a hostile string fit for where GitHub shows plain text.
func plain(s string, limit int) string { return plaintext.Clip(plaintext.Printable(s, "\n\t"), limit) }

// page is Markdown of a limited size, whole lines only.
type page struct {
	b     strings.Builder
	limit int
	left  int // lines left out
}

// line adds a line when it fits, and counts it otherwise.
func (p *page) line(format string, a ...any) {
	s := fmt.Sprintf(format, a...) + "\n"
	if p.left > 0 || p.b.Len()+len(s) > p.limit-reserve {
		p.left++
		return
	}
	p.b.WriteString(s)
}

// reserve is the room for the remark that lines were left out.
const reserve = 200

func (p *page) String() string {
	if p.left > 0 {
		return p.b.String() + fmt.Sprintf("\n… and %d lines more, on the details page.\n", p.left)
	}
	return p.b.String()
}
