package ltp

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/testlog/logline"
)

// summary is what a test of the new library says at its end.
type summary struct {
	counts map[string]int
}

// reporter is a line of a test, by which its name is known.
var reporter = regexp.MustCompile(`^([\w+-][\w.+-]*)\.(?:c|sh):\d+: T(PASS|FAIL|BROK|WARN|CONF|INFO): `)

// alone reads the lines of a test that no runner runs.
func (p *Parser) alone(s string, no int) {
	if m := reporter.FindStringSubmatch(s); m != nil {
		if p.open == nil || p.open.Case != m[1] && m[1] != "tst_test" {
			if m[1] == "tst_test" {
				return // the library's own lines
			}
			p.lost()
			p.open, p.failed = &jobs.Case{Case: logline.Clip(m[1]), LogLine: &no}, false
		}
		p.note(s)
		return
	}
	if s == "Summary:" && p.open != nil {
		p.summary = &summary{counts: map[string]int{}}
		return
	}
	if p.summary == nil {
		return
	}
	f := strings.Fields(s)
	if len(f) != 2 {
		return
	}
	n, err := strconv.ParseUint(f[1], 10, 31)
	if err != nil {
		return
	}
	if p.summary.counts[f[0]] = int(n); f[0] == "warnings" {
		p.conclude()
	}
}

// conclude makes the case of the summary.
func (p *Parser) conclude() {
	c, n := p.open, p.summary.counts
	p.open, p.summary = nil, nil
	switch {
	case c == nil:
		return
	case n["failed"]+n["broken"]+n["warnings"] > 0:
		c.Result = jobs.Fail
	case n["passed"] > 0:
		c.Result, c.Message = jobs.Pass, ""
	default:
		c.Result = jobs.Skip
	}
	p.emit(*c)
}
