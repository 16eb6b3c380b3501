package trigger

import (
	"regexp"
	"strings"
)

// passes reports whether a name passes a filter of GitHub's: it matches a pattern of include and none of ignore. In
// include, a pattern that begins with ! excludes what matched before it. An empty include matches everything.
func passes(name string, include, ignore []string) bool {
	in := len(include) == 0
	for _, p := range include {
		if exclude, ok := strings.CutPrefix(p, "!"); ok {
			in = in && !matches(name, exclude)
		} else {
			in = in || matches(name, p)
		}
	}
	for _, p := range ignore {
		in = in && !matches(name, p)
	}
	return in
}

// matches matches a pattern of GitHub's: * within a part, ** across parts, ? and + after a character, [a-z].
func matches(name, pattern string) bool {
	re, err := regexp.Compile(`\A(?:` + expression(pattern) + `)\z`)
	return err == nil && re.MatchString(name)
}

// expression is the pattern as a regular expression.
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
			b.WriteByte(c) // a byte of a longer character
		}
	}
	return b.String()
}
