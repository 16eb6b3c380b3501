package console

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
)

// Patterns are regular expressions waited for together. They can be used by several consoles at once.
type Patterns struct {
	sources []string
	exprs   []*regexp.Regexp
}

// Limits of what a user may wait for: the cost of matching is bounded by them.
const (
	maxPatterns = 1000
	maxPattern  = 4 << 10 // bytes
)

// Compile reads patterns in RE2's syntax, which is Python's but for look-around, back references, conditionals,
// possessive quantifiers, atomic groups and comments; those are refused. As in pexpect, "." matches line feeds too.
// "^" and "$" are those of a line: "^" also matches where matching went on, and "$" also where the text received so
// far ends, as it must for a prompt. \Z is \z. A pattern that matches the empty text is refused, because it would match
// before anything came. Carriage returns in a pattern are ignored, as those of the console are.
func Compile(patterns ...string) (*Patterns, error) {
	if len(patterns) == 0 {
		return nil, errors.New("compile patterns: there are none")
	}
	if len(patterns) > maxPatterns {
		return nil, fmt.Errorf("compile patterns: %d of them; the limit is %d", len(patterns), maxPatterns)
	}
	p := &Patterns{sources: patterns}
	for _, s := range patterns {
		re, err := compile(s)
		if err != nil {
			return nil, fmt.Errorf("compile pattern %.100q: %w", s, err)
		}
		p.exprs = append(p.exprs, re)
	}
	return p, nil
}

func compile(s string) (*regexp.Regexp, error) {
	if len(s) > maxPattern {
		return nil, fmt.Errorf("%d bytes long; the limit is %d", len(s), maxPattern)
	}
	const flags = syntax.PerlX | syntax.UnicodeGroups | syntax.ClassNL | syntax.DotNL
	tree, err := syntax.Parse(pythonEnd(s), flags)
	if err != nil {
		return nil, err
	}
	re, err := regexp.Compile(tree.String())
	if err != nil {
		return nil, err
	}
	if re.MatchString("") {
		return nil, errors.New("it matches the empty text")
	}
	return re, nil
}

// Len is how many patterns there are.
func (p *Patterns) Len() int { return len(p.exprs) }

// Pattern is pattern i as it was given to Compile.
func (p *Patterns) Pattern(i int) string { return p.sources[i] }

// pythonEnd writes Python's \Z as RE2 does.
func pythonEnd(s string) string {
	for i := 0; i+1 < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		if i++; s[i] == 'Z' {
			s = s[:i] + "z" + s[i+1:]
		}
	}
	return s
}
