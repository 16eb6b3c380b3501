package console

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"

	"github.com/gantry-ci/gantry/internal/terminal"
)

// Patterns are regular expressions that are waited for together. Several consoles may use them at the same time.
type Patterns struct {
	sources []string
	exprs   []*regexp.Regexp
	prog    *program
}

// Limits of what a user may wait for: the cost of matching is bounded by them.
const (
	maxPatterns = 1000
	maxPattern  = 4 << 10 // bytes
)

// Compile reads patterns in RE2's syntax, which is Python's except for look-around, back references, conditionals,
// possessive quantifiers, atomic groups and comments; those are refused. As in pexpect, "." also matches line feeds.
// "^" and "$" are those of a line: "^" also matches at the Offset of the session, and "$" also at the end of the text
// received so far, which a prompt needs. \Z is \z. A pattern that matches the empty text is refused, because it would
// match before any text has arrived. Carriage returns in a pattern are ignored, as those of the console are.
func Compile(patterns ...string) (*Patterns, error) {
	if len(patterns) == 0 {
		return nil, errors.New("compile patterns: there are none")
	}
	if len(patterns) > maxPatterns {
		return nil, fmt.Errorf("compile patterns: %d of them; the limit is %d", len(patterns), maxPatterns)
	}
	p := &Patterns{sources: patterns}
	var trees []*syntax.Regexp
	for _, s := range patterns {
		tree, re, err := compile(s)
		if err != nil {
			return nil, fmt.Errorf("compile pattern %.100q: %w", s, err)
		}
		p.exprs, trees = append(p.exprs, re), append(trees, tree)
	}
	var err error
	if p.prog, err = newProgram(trees); err != nil {
		return nil, fmt.Errorf("compile patterns: %w", err)
	}
	return p, nil
}

func compile(s string) (*syntax.Regexp, *regexp.Regexp, error) {
	if len(s) > maxPattern {
		return nil, nil, fmt.Errorf("%d bytes long; the limit is %d", len(s), maxPattern)
	}
	s = "(?sm)" + pythonEnd(s)
	tree, err := syntax.Parse(s, syntax.Perl)
	if err != nil {
		return nil, nil, err
	}
	if hasEscape(tree) {
		return nil, nil, errors.New("it has a terminal escape; the console's are removed before matching")
	}
	if withoutReturns(tree) {
		s = tree.String()
		if tree, err = syntax.Parse(s, syntax.Perl); err != nil {
			return nil, nil, err
		}
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, nil, err
	}
	if re.MatchString("") {
		return nil, nil, errors.New("it matches the empty text")
	}
	return tree, re, nil
}

// hasEscape reports whether the pattern contains an ESC.
func hasEscape(tree *syntax.Regexp) bool {
	return tree.Op == syntax.OpLiteral && slices.Contains(tree.Rune, terminal.ESC) ||
		slices.ContainsFunc(tree.Sub, hasEscape)
}

// withoutReturns removes the carriage returns that the pattern contains, and reports whether there were any.
func withoutReturns(tree *syntax.Regexp) bool {
	found := tree.Op == syntax.OpLiteral && slices.Contains(tree.Rune, '\r')
	if found {
		tree.Rune = slices.DeleteFunc(tree.Rune, func(r rune) bool { return r == '\r' })
		if len(tree.Rune) == 0 {
			tree.Op = syntax.OpEmptyMatch
		}
	}
	for _, sub := range tree.Sub {
		found = withoutReturns(sub) || found
	}
	return found
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
