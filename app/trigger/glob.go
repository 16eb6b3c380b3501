package trigger

import (
	"regexp"
	"strings"
)

// passes says whether a name passes a filter: it is like one of some, of which the last that matches decides when one
// begins with !, and not like any of not. Empty lists let everything through.
func passes(name string, some, not []string) bool {
	in := len(some) == 0
	for _, p := range some {
		if out, ok := strings.CutPrefix(p, "!"); ok {
			in = in && !like(name, out)
		} else {
			in = in || like(name, p)
		}
	}
	for _, p := range not {
		in = in && !like(name, p)
	}
	return in
}

// like matches a pattern of GitHub's: * within a part, ** across parts, ? and + after a character, [a-z].
func like(name, pattern string) bool {
	re, err := regexp.Compile(`\A(?:` + expression(pattern) + `)\z`)
	return err == nil && re.MatchString(name)
}

func expression(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case strings.HasPrefix(pattern[i:], "**/"):
			b.WriteString(`(?:.*/)?`)
			i += 2
		case strings.HasPrefix(pattern[i:], "**"):
			b.WriteString(`.*`)
			i++
		case c == '*':
			b.WriteString(`[^/]*`)
		case c == '?' || c == '+' || c == '[' || c == ']':
			b.WriteByte(c)
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		case c < 0x80:
			b.WriteString(regexp.QuoteMeta(string(c)))
		default:
			b.WriteByte(c) // a part of a rune
		}
	}
	return b.String()
}
