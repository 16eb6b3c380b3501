package signal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/results"
)

// Definition is what is known of a test definition before it runs.
type Definition struct {
	Run      string            // "0_smoke"
	Expected []string          // cases that must be reported, and no others; empty for no such list
	Pattern  *regexp.Regexp    // parse.pattern; nil for none
	Fixup    map[string]string // parse.fixupdict: what a test calls a result → pass, fail, skip, unknown
}

// CompilePattern compiles a test definition's parse.pattern, which is in Python's syntax. It must have the groups
// test_case_id and result. Patterns are matched against each line. What RE2 lacks (look-around, back-references) is
// an error of class job.
func CompilePattern(pattern string) (*regexp.Regexp, error) {
	re, err := regexp.Compile("(?m)" + pythonToGo(pattern))
	if err != nil {
		return nil, results.Failf(results.ClassJob, "parse pattern: %w", err)
	}
	for _, group := range []string{"test_case_id", "result"} {
		if re.SubexpIndex(group) < 0 {
			return nil, results.Failf(results.ClassJob, "parse pattern: no group (?P<%s>…) in %q", group, pattern)
		}
	}
	return re, nil
}

// escapes are a pattern's; Python lets any punctuation be escaped, and calls the end of the text \Z.
var escapes = regexp.MustCompile(`\\[\s\S]`)

func pythonToGo(p string) string {
	return escapes.ReplaceAllStringFunc(p, func(e string) string {
		switch {
		case e == `\Z`:
			return `\z`
		case strings.ContainsRune("/\"'<>%&=:,;!@`~# ", rune(e[1])):
			return e[1:]
		}
		return e
	})
}

// match makes a case of a line that the pattern fits; nil for others.
func (d *Definition) match(line []byte) *results.Case {
	m := d.Pattern.FindSubmatch(line)
	if m == nil {
		return nil
	}
	group := func(name string) string {
		if i := d.Pattern.SubexpIndex(name); i >= 0 {
			return string(m[i])
		}
		return ""
	}
	id := text(group("test_case_id"), maxName)
	if id == "" {
		return nil
	}
	found := group("result")
	fixed, ok := d.Fixup[found]
	if !ok {
		fixed = found
	}
	c := &results.Case{Case: id, Result: result(fixed)}
	if c.Result == results.Unknown && fixed != results.Unknown {
		c.Message = fmt.Sprintf("%q is no result, and fixupdict does not say which it means", text(found, maxName))
	}
	if v := group("measurement"); v != "" {
		c.Measurement = number(v)
	}
	if u := text(group("units"), maxName); u != "" {
		c.Units = &u
	}
	return c
}

// fixed is a result of a signal by the running definition's fixupdict, which in LAVA is for them, too.
func (s *state) fixup(word string) string {
	if s.run != nil && s.run.def != nil {
		if fixed, ok := s.run.def.Fixup[word]; ok {
			return fixed
		}
	}
	return word
}

func (d *Definition) expects(id string) bool { return slices.Contains(d.Expected, id) }
