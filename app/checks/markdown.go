package checks

import (
	"fmt"
	"strings"

	"github.com/gantry-ci/gantry/internal/plaintext"
)

// text makes a hostile string inert in Markdown: no markup, no HTML, no mentions, no control characters, one line.
// limit is in characters.
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
		case plaintext.Hidden(r):
			b.WriteRune('\uFFFD')
		case strings.ContainsRune("&<>|`*_[]()~#@!\\$:", r):
			fmt.Fprintf(&b, "&#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// code is text as code, in which GitHub makes no links.
func code(s string, limit int) string { return "<code>" + text(s, limit) + "</code>" }

// plain makes a hostile string fit for a field that GitHub shows as plain text. limit is in bytes.
func plain(s string, limit int) string { return plaintext.Clip(plaintext.Printable(s, "\n\t"), limit) }

// page is Markdown of a limited size, in whole lines.
type page struct {
	b       strings.Builder
	limit   int // bytes
	omitted int // lines
}

// line adds a line if it fits, and else counts it as omitted, with all that follow.
func (p *page) line(format string, a ...any) {
	s := fmt.Sprintf(format, a...) + "\n"
	if p.omitted > 0 || p.b.Len()+len(s) > p.limit-reserve {
		p.omitted++
		return
	}
	p.b.WriteString(s)
}

// reserve is the room for the remark that lines were omitted, in bytes.
const reserve = 200

func (p *page) String() string {
	if p.omitted > 0 {
		return p.b.String() + fmt.Sprintf("\n… and %d lines more, on the details page.\n", p.omitted)
	}
	return p.b.String()
}
