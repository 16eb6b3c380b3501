package ltp

import (
	"fmt"
	"path"
	"regexp"
	"strconv"

	"github.com/gantry-ci/gantry/results"
)

// panLine is ltp-pan -l's line of a test, without -p.
var panLine = regexp.MustCompile(`^tag=(\S+) stime=\d+ dur=(\d+) exit=(\w+) stat=(\d+) core=\w+`)

// logged reads ltp-pan's log.
func (p *Parser) logged(s string, no int) bool {
	m := panLine.FindStringSubmatch(s)
	if m == nil {
		return false
	}
	c := results.Case{Case: results.Line(m[1]), LogLine: &no, Result: results.Fail}
	status, err := strconv.Atoi(m[4])
	if m[3] == "exited" && err == nil {
		c.Result = exit(status)
	}
	if c.Result == results.Fail {
		c.Message = fmt.Sprintf("%s %s", m[3], m[4])
	}
	c.DurationS = seconds(m[2] + "s")
	p.emit(c)
	return true
}

// posixLine is a line of the Open POSIX test suite's logfile.
var posixLine = regexp.MustCompile(
	`^(\S+): execution: (PASS|FAILED|UNRESOLVED|UNSUPPORTED|UNTESTED|HUNG|SIGNALED|EXITED ABNORMALLY|SKIPPED)\b`,
)

// posix reads the logfile of the Open POSIX test suite.
func (p *Parser) posix(s string, no int) bool {
	m := posixLine.FindStringSubmatch(s)
	if m == nil {
		return false
	}
	dir, name := path.Split(m[1])
	c := results.Case{Case: results.Line(name), LogLine: &no}
	if dir = path.Clean(dir); dir != "." {
		c.Set = &dir
	}
	switch m[2] {
	case "PASS":
		c.Result = results.Pass
	case "UNSUPPORTED", "UNTESTED", "SKIPPED":
		c.Result, c.Message = results.Skip, m[2]
	default:
		c.Result, c.Message = results.Fail, m[2]
	}
	p.emit(c)
	return true
}
