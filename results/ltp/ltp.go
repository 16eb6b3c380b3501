package ltp

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
	maxJSON  = 64 << 20
)

// mode is which of the formats a line belongs to.
type mode uint8

const (
	outside mode = iota
	block        // between <<<test_start>>> and <<<test_end>>>
	table        // of runltp -l
	kirk         // on its console
	report       // kirk's JSON
)

// Parser reads one stream of lines.
type Parser struct {
	suite   string
	mode    mode
	set     *string
	open    *results.Case // of a block
	failed  bool          // of it, by what it printed
	test    *test         // one that no runner runs
	tests   int           // of these
	summary map[string]int
	started bool // a line that is not empty was read
	rows    int  // of the table, or of kirk's suite
	top     int  // line with which these began
	cases   int
	dropped int
	out     []results.Case
	json    document
}

// New reads LTP's results; its cases are of the suite.
func New(suite string) *Parser { return &Parser{suite: suite} }

// Line reads a line, whose 1-based number is no, and returns the cases that are complete by it.
func (p *Parser) Line(raw []byte, no int) []results.Case {
	if p.mode == report || !p.started && strings.HasPrefix(strings.TrimSpace(string(raw[:min(len(raw), 80)])), "{") {
		p.started, p.mode = true, report
		p.json.add(raw, no)
		return nil
	}
	if len(raw) > maxLine {
		return nil
	}
	s := strings.TrimRight(printk.Trim(string(raw)), " \r\n")
	p.started = p.started || s != ""
	p.read(s, no)
	return p.flush()
}

// Close returns the remaining cases, the missing ones included.
func (p *Parser) Close() []results.Case {
	if p.mode == report {
		p.report()
	}
	p.end()
	if p.dropped > 0 {
		p.out = append(p.out, results.Case{
			Suite: p.suite, Case: "results over the limit", Result: results.Missing,
			Message: fmt.Sprintf("%d results after the first %d", p.dropped, maxCases),
		})
		p.dropped = 0
	}
	return p.flush()
}

func (p *Parser) flush() []results.Case {
	out := p.out
	p.out = nil
	return out
}

func (p *Parser) emit(c results.Case) {
	if p.cases++; p.cases > maxCases {
		p.dropped++
		return
	}
	c.Suite = p.suite
	p.out = append(p.out, c)
}

// end reports what began and did not end: a test, a table, kirk's suite.
func (p *Parser) end() {
	if p.open != nil {
		p.open.Result = results.Missing
		p.open.Message = strings.TrimSpace("it began and did not end\n" + p.open.Message)
		p.emit(*p.open)
		p.open = nil
	}
	p.lost()
	if p.mode == table || p.mode == kirk {
		top := p.top
		p.emit(results.Case{
			Case: "rest of the tests", Set: p.set, Result: results.Missing, LogLine: &top,
			Message: "their number was not said: results may be missing",
		})
		p.mode, p.set = outside, nil
	}
}

func (p *Parser) read(s string, no int) {
	switch {
	case s == "<<<test_start>>>":
		p.end()
		p.mode, p.failed = block, false
		p.open = &results.Case{Case: "unnamed", LogLine: &no}
	case p.mode == block:
		p.block(s)
	case strings.HasPrefix(s, "Testcase ") && strings.HasSuffix(s, "Exit Value"):
		p.end()
		p.mode, p.rows, p.top = table, 0, no
	case p.mode == table:
		p.row(s, no)
	case strings.HasPrefix(s, "Starting suite: "):
		p.end()
		set := results.Line(strings.TrimPrefix(s, "Starting suite: "))
		p.mode, p.set, p.rows, p.top = kirk, &set, 0, no
	case p.mode == kirk && (p.kirk(s, no) || p.verbose(s, no)):
	case p.logged(s, no), p.posix(s, no):
	default:
		p.alone(s, no)
	}
}

// block reads a line between <<<test_start>>> and <<<test_end>>>.
func (p *Parser) block(s string) {
	c := p.open
	switch {
	case s == "<<<test_end>>>":
		if c.Result == "" {
			c.Result = results.Unknown
		}
		p.emit(*c)
		p.open, p.mode = nil, outside
	case strings.HasPrefix(s, "tag=") && c.Case == "unnamed":
		if fields := strings.Fields(s[len("tag="):]); len(fields) > 0 {
			c.Case = results.Line(fields[0])
		}
	case strings.HasPrefix(s, "initiation_status=") && s != `initiation_status="ok"`:
		c.Result, c.Message = results.Fail, results.Line(s)
	case strings.HasPrefix(s, "duration=") && strings.Contains(s, "termination_type="):
		p.terminated(s)
	default:
		p.explain(s)
	}
}

// terminated reads the line that says how the test ended.
func (p *Parser) terminated(s string) {
	var how string
	id := -1
	for f := range strings.FieldsSeq(s) {
		key, value, _ := strings.Cut(f, "=")
		switch key {
		case "duration":
			if n, err := strconv.ParseUint(value, 10, 31); err == nil {
				d := float64(n)
				p.open.DurationS = &d
			}
		case "termination_type":
			how = value
		case "termination_id":
			if n, err := strconv.Atoi(value); err == nil {
				id = n
			}
		}
	}
	c := p.open
	switch {
	case c.Result == results.Fail: // it could not be started
	case how == "exited":
		c.Result = exit(id)
		if c.Result == results.Fail && c.Message == "" {
			c.Message = fmt.Sprintf("exit %d", id)
		}
	default: // signaled, stopped, driver_interrupt
		c.Result, c.Message = results.Fail, strings.TrimSpace(fmt.Sprintf("%s %d\n%s", results.Line(how), id, c.Message))
	}
}

// exit is what a test's exit status means: it is the sum of TFAIL 1, TBROK 2, TWARN 4, TINFO 16 and TCONF 32.
func exit(status int) string {
	switch {
	case status == 0 || status == 16:
		return results.Pass
	case status&^16 == 32:
		return results.Skip
	}
	return results.Fail
}

// printed is a line of a test: "file.c:12: TFAIL: why", or "tag 1 TFAIL : why" of the old library.
var printed = regexp.MustCompile(`^(?:([\w./+-]+)\.(?:c|h|sh):\d+:|\S+\s+\d+)\s+T(FAIL|BROK|WARN|CONF)\s*:\s*(.*)$`)

// explain keeps the first line that explains a failure as the test's message; TCONF explains a skip.
func (p *Parser) explain(s string) {
	if c := p.open; c.Message == "" || !p.failed {
		if m := printed.FindStringSubmatch(s); m != nil && (c.Message == "" || m[2] != "CONF") {
			c.Message, p.failed = results.Line("T"+m[2]+": "+m[3]), m[2] != "CONF"
		}
	}
}

// row reads a line of runltp -l's table.
func (p *Parser) row(s string, no int) {
	f := strings.Fields(s)
	if len(f) == 3 && f[0] == "Total" && f[1] == "Tests:" {
		p.total(f[2], no)
		return
	}
	if len(f) != 3 {
		return // the kernel's, or a rule
	}
	if _, err := strconv.Atoi(f[2]); err != nil {
		return
	}
	c := results.Case{Case: results.Line(f[0]), LogLine: &no}
	switch f[1] {
	case "PASS":
		c.Result = results.Pass
	case "CONF":
		c.Result = results.Skip
	case "FAIL", "BROK", "WARN":
		c.Result, c.Message = results.Fail, "T"+f[1]+", exit "+f[2]
	default:
		return
	}
	p.rows++
	p.emit(c)
}
