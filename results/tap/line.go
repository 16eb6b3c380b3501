package tap

import (
	"strconv"
	"strings"

	"github.com/gantry-ci/gantry/internal/printk"
	"github.com/gantry-ci/gantry/results"
)

// kind is what a line is.
type kind uint8

const (
	other kind = iota
	version
	plan
	point
	comment
	bail
)

// line is a parsed line.
type line struct {
	kind      kind
	indent    int    // in columns; each "# " of kselftest counts as two
	text      string // of a comment, or why a plan or a bail-out
	ok        bool
	number    int  // of a point, or the last of a plan; 0: none
	dash      bool // before the name
	name      string
	directive string // in upper case
}

// parse reads a line.
func (p *Parser) parse(raw string) line {
	s := printk.Trim(raw)
	l := line{}
	for depth := 0; ; depth++ {
		rest := strings.TrimLeft(s, " \t")
		for _, c := range s[:len(s)-len(rest)] {
			if l.indent++; c == '\t' {
				l.indent += 3
			}
		}
		s = rest
		if l.structure(s, p.kernel) {
			return l
		}
		inner, ok := strings.CutPrefix(s, "#")
		if !ok {
			if depth > 0 {
				l.kind, l.text = comment, strings.TrimSpace(s)
			}
			return l
		}
		inner = strings.TrimPrefix(inner, " ")
		deeper := line{indent: l.indent + 2}
		if !p.kernel || depth == maxDepth || !deeper.leads(inner) {
			l.kind, l.text = comment, strings.TrimSpace(inner)
			return l
		}
		l.indent += 2
		s = inner
	}
}

// leads reports whether a "# " is kselftest's nesting: a line of the protocol follows, at any depth.
func (l *line) leads(s string) bool {
	s = strings.TrimLeft(s, " \t#")
	return l.structure(s, true)
}

// structure reads a line that is more than a comment.
func (l *line) structure(s string, kernel bool) bool {
	s = strings.TrimRight(s, " \t")
	switch {
	case strings.HasPrefix(s, "ok") || strings.HasPrefix(s, "not ok"):
		return l.point(s, kernel)
	case strings.HasPrefix(s, "1.."):
		return l.plan(s)
	case strings.HasPrefix(s, "TAP version "), strings.HasPrefix(s, "KTAP version "):
		_, n, _ := strings.Cut(s, " version ")
		if _, err := strconv.ParseUint(n, 10, 16); err != nil {
			return false
		}
		l.kind = version
		return true
	case strings.HasPrefix(s, "Bail out!"):
		l.kind, l.text = bail, results.Line(strings.TrimPrefix(s, "Bail out!"))
		return true
	}
	return false
}

func (l *line) plan(s string) bool {
	s, why, _ := strings.Cut(s[len("1.."):], "#")
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 31)
	if err != nil {
		return false
	}
	why = strings.TrimSpace(why)
	if word, rest, _ := strings.Cut(why, " "); strings.HasPrefix(strings.ToUpper(word), "SKIP") {
		why = rest
	}
	l.kind, l.number, l.text = plan, int(n), results.Line(why)
	return true
}

func (l *line) point(s string, kernel bool) bool {
	rest, ok := strings.CutPrefix(s, "ok")
	if !ok {
		rest = strings.TrimPrefix(s, "not ok")
	}
	if rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return false
	}
	l.ok = ok
	rest = strings.TrimLeft(rest, " \t")
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	if n, err := strconv.ParseUint(rest[:digits], 10, 31); err == nil &&
		(digits == len(rest) || rest[digits] == ' ' || rest[digits] == '\t') {
		l.number, rest = int(n), strings.TrimLeft(rest[digits:], " \t")
	} else if kernel {
		rest = l.old(rest)
	}
	if r, ok := strings.CutPrefix(rest, "-"); ok && (r == "" || r[0] == ' ') {
		l.dash, rest = true, r
	} else if kernel && l.number == 0 {
		return false // a message that begins with "ok"
	}
	name, extra := hash(rest)
	if extra != "" {
		word, text, _ := strings.Cut(strings.TrimSpace(extra), " ")
		switch d := strings.ToUpper(strings.TrimRight(word, ":")); {
		case strings.HasPrefix(d, "SKIP"):
			l.directive = "SKIP"
		case d == "TODO", kernel && (d == "XFAIL" || d == "TIMEOUT" || d == "ERROR"):
			l.directive = d
		case kernel:
			text = strings.TrimSpace(extra)
		case strings.HasPrefix(word, "time="):
			l.directive, text = "TIME", strings.TrimPrefix(word, "time=")
		default:
			name, text = rest, ""
		}
		l.text = results.Line(text)
	}
	l.kind, l.name = point, results.Line(unescape(name))
	return true
}

// old reads what kselftest printed up to Linux 5.1: "ok 1..2 selftests: timers: nanosleep [PASS]", the second result.
func (l *line) old(s string) string {
	number, name, ok := strings.Cut(strings.TrimPrefix(s, "1.."), " ")
	n, err := strconv.ParseUint(number, 10, 31)
	if !ok || err != nil || !strings.HasPrefix(s, "1..") {
		return s
	}
	l.number = int(n)
	name = strings.TrimSpace(name)
	if at := strings.LastIndexByte(name, '['); at > 0 && strings.HasSuffix(name, "]") {
		if name[at:] == "[SKIP]" {
			l.directive = "SKIP"
		}
		name = name[:at]
	}
	return name
}

// hash splits a description at its directive: the first # that is not escaped and not within a word.
func hash(s string) (name, extra string) {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '#' && (i == 0 || s[i-1] == ' ' || s[i-1] == '\t'):
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

func unescape(s string) string {
	return strings.NewReplacer(`\#`, "#", `\\`, `\`).Replace(s)
}
