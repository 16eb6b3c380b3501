package tap

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/gantry-ci/gantry/results"
)

// totals is a kselftest program's count of its own results, some of which it may not have printed.
type totals struct {
	text             string
	line             int
	pass, fail, skip int
}

// totalsLine is "Totals: pass:3 fail:0 xfail:0 xpass:0 skip:0 error:0". KUnit's has no xfail, and counts all levels.
var totalsLine = regexp.MustCompile(`^Totals: pass:(\d+) fail:(\d+) xfail:(\d+) xpass:(\d+) skip:(\d+) error:(\d+)$`)

// total reads such a line.
func (p *Parser) total(l line) bool {
	text, indent := l.text, l.indent
	for strings.HasPrefix(text, "# ") { // the nesting of comments is not parsed before
		text, indent = text[2:], indent+2
	}
	m := totalsLine.FindStringSubmatch(text)
	if m == nil {
		return false
	}
	top := p.top()
	if top == nil || top.indent != indent {
		return true
	}
	var n [6]int
	for i := range n {
		v, err := strconv.ParseUint(m[i+1], 10, 31)
		if err != nil {
			return true
		}
		n[i] = int(v)
	}
	top.totals = totals{text: text, line: p.no, pass: n[0] + n[3], fail: n[1] + n[5], skip: n[2] + n[4]}
	return true
}

// counted reports whether the level's program ran all that its plan announces, and adds a case for the results that it
// did not print.
func (p *Parser) counted(l *level) bool {
	t := &l.totals
	more := t.pass + t.fail + t.skip - l.count
	if t.line == 0 || l.plan < 0 || more <= 0 || l.count+more < l.plan {
		return false
	}
	c := results.Case{
		Case: "totals", LogLine: &t.line,
		Message: fmt.Sprintf("%d results are only counted: %s", more, strings.TrimPrefix(t.text, "Totals: ")),
	}
	switch {
	case t.fail > l.results[results.Fail]:
		c.Result = results.Fail
	case t.pass > l.results[results.Pass]:
		c.Result = results.Pass
	default:
		c.Result = results.Skip
	}
	p.add(l, c)
	return true
}
