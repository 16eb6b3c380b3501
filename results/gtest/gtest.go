// Package gtest reads what a GoogleTest program prints. (Its XML is read by package junit.)
//
// A test is a case; its set is the test suite: "[ RUN ] Foo.Bar" is case "Bar" of set "Foo", and "Inst/Foo.Bar/3" is
// case "Bar/3" of set "Inst/Foo". A test that began and did not end, as in a crash, is missing, and so are those that
// "Running 12 tests" announces and nobody runs.
package gtest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/gantry-ci/gantry/internal/printk"
	"github.com/gantry-ci/gantry/results"
)

// Limits: a console is hostile.
const (
	maxLine  = 64 << 10
	maxCases = 100_000
)

// Parser reads one stream of lines.
type Parser struct {
	suite    string
	open     *results.Case // the test that runs
	message  string
	announce int // how many tests there should be; -1 if the program did not print it
	said     int // the line that announces them
	seen     int
	cases    int
	dropped  int
	out      []results.Case
}

// New reads GoogleTest's output; its cases are of the suite.
func New(suite string) *Parser { return &Parser{suite: suite, announce: -1} }

// mark is a line of GoogleTest. A test's own output without a newline may stand before it.
var mark = regexp.MustCompile(`\[( RUN      |       OK |  FAILED  |  SKIPPED |==========)\] (.*)$`)

// ended is what follows the mark of a test that ended: "Foo.Bar (12 ms)", with its parameter in between when it failed.
var ended = regexp.MustCompile(`^([^\s,]+)(?:, where .*)? \((\d+) ms\)$`)

var running = regexp.MustCompile(`^Running (\d+) tests? from \d+ test (?:suite|case)s?\.$`)

var ran = regexp.MustCompile(`^(\d+) tests? from \d+ test (?:suite|case)s? ran\.`)

// Line reads a line, whose 1-based number is no, and returns the cases that are complete by it.
func (p *Parser) Line(raw []byte, no int) []results.Case {
	if len(raw) <= maxLine {
		p.read(strings.TrimRight(printk.Trim(string(raw)), " \r\n"), no)
	}
	out := p.out
	p.out = nil
	return out
}

// Close returns the remaining cases, the missing ones included.
func (p *Parser) Close() []results.Case {
	p.finish()
	if p.dropped > 0 {
		p.out = append(p.out, results.Case{
			Suite: p.suite, Case: "results over the limit", Result: results.Missing,
			Message: fmt.Sprintf("%d results after the first %d", p.dropped, maxCases),
		})
		p.dropped = 0
	}
	out := p.out
	p.out = nil
	return out
}

func (p *Parser) read(s string, no int) {
	m := mark.FindStringSubmatch(s)
	if m == nil {
		if p.open != nil && len(p.message)+len(s) < results.MaxName {
			p.message += "\n" + results.Line(s)
		}
		return
	}
	switch what := m[2]; strings.TrimSpace(m[1]) {
	case "RUN":
		p.lost()
		p.open, p.message = name(what), ""
		p.open.LogLine = &no
	case "OK":
		p.end(what, results.Pass, no)
	case "FAILED":
		p.end(what, results.Fail, no)
	case "SKIPPED":
		p.end(what, results.Skip, no)
	default: // ==========
		p.total(what, no)
	}
}

// total reads how many tests there should be, and how many there were.
func (p *Parser) total(what string, no int) {
	if m := running.FindStringSubmatch(what); m != nil {
		p.finish()
		if n, err := strconv.ParseUint(m[1], 10, 31); err == nil {
			p.announce, p.said = int(n), no
		}
		return
	}
	if ran.MatchString(what) {
		p.finish()
	}
}

// finish ends a program's output.
func (p *Parser) finish() {
	p.lost()
	if missing := p.announce - p.seen; missing > 0 {
		said := p.said
		p.emit(results.Case{
			Case: fmt.Sprintf("%d more tests", missing), Result: results.Missing, LogLine: &said,
			Message: fmt.Sprintf("%d tests announced, %d seen", p.announce, p.seen),
		})
	}
	p.announce, p.seen = -1, 0
}

// lost reports the test that began and did not end.
func (p *Parser) lost() {
	if p.open == nil {
		return
	}
	c := *p.open
	c.Result, c.Message = results.Missing, strings.TrimSpace("it began and did not end"+p.message)
	p.open = nil
	p.seen++
	p.emit(c)
}

// end ends the running test; the list of failures at the end has no times, and nothing runs then.
func (p *Parser) end(what, result string, no int) {
	m := ended.FindStringSubmatch(what)
	if m == nil {
		return
	}
	c := name(m[1])
	c.LogLine, c.Result = &no, result
	if p.open != nil && p.open.Case == c.Case && *p.open.Set == *c.Set {
		if result != results.Pass {
			c.Message = strings.TrimSpace(p.message)
		}
		p.open = nil
	} else {
		p.lost()
	}
	if ms, err := strconv.ParseUint(m[2], 10, 40); err == nil {
		s := float64(ms) / 1000
		c.DurationS = &s
	}
	p.seen++
	p.emit(*c)
}

// name is a case by its full name.
func name(full string) *results.Case {
	full, _, _ = strings.Cut(full, ", where ")
	set, test, ok := strings.Cut(results.Line(full), ".")
	if !ok {
		set, test = "", set
	}
	if test == "" {
		test = "unnamed"
	}
	return &results.Case{Set: &set, Case: test}
}

func (p *Parser) emit(c results.Case) {
	if p.cases++; p.cases > maxCases {
		p.dropped++
		return
	}
	c.Suite = p.suite
	p.out = append(p.out, c)
}
