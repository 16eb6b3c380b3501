package ltp

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/gantry-ci/gantry/results"
)

// total compares a runner's own count with what was read.
func (p *Parser) total(count string, no int) {
	n, err := strconv.ParseUint(count, 10, 31)
	if err == nil && int(n) > p.rows {
		p.emit(results.Case{
			Case: fmt.Sprintf("%d more tests", int(n)-p.rows), Set: p.set, Result: results.Missing, LogLine: &no,
			Message: fmt.Sprintf("%d tests were run, %d results seen", n, p.rows),
		})
	}
	p.rows, p.mode, p.set = 0, outside, nil
}

// runs is kirk's count of a suite's tests.
var runs = regexp.MustCompile(`^\s*Total (?:Run|runs):\s+(\d+)$`)

// result is kirk's line of a test.
var result = regexp.MustCompile(
	`^([\w./+=:-]+): (?:(pass|fail|skip|broken)(?: \| tainted)?\s+\(([0-9hms. ]+)\)|` +
		`(timed out|kernel panic|SUT not responding))$`,
)

// kirk reads a line of kirk's console.
func (p *Parser) kirk(s string, no int) bool {
	if m := runs.FindStringSubmatch(s); m != nil {
		p.lost()
		p.total(m[1], no)
		return true
	}
	m := result.FindStringSubmatch(s)
	if m == nil {
		return false
	}
	c := results.Case{Case: m[1], Set: p.set, LogLine: &no}
	switch m[2] {
	case "pass":
		c.Result = results.Pass
	case "skip":
		c.Result = results.Skip
	case "fail", "broken":
		c.Result, c.Message = results.Fail, m[2]
	default:
		c.Result, c.Message = results.Fail, m[4]
	}
	c.DurationS = seconds(m[3])
	p.rows++
	p.emit(c)
	return true
}
