package tap

import (
	"regexp"
	"strings"

	"github.com/gantry-ci/gantry/results"
)

// script is a test file that Perl's prove runs.
type script struct {
	name string // "": none
	said *results.Case
}

// scriptLine is prove's line of a test file, with its verdict unless what it printed follows ("prove -v").
var scriptLine = regexp.MustCompile(
	`^(\S*/\S+|\S+\.t) \.{2,} ?(ok|skipped.*|Dubious, .*|Failed .*|No subtests run.*|)$`,
)

// verdict is a line by which prove ends a test file.
var verdict = regexp.MustCompile(
	`^(?:ok|skipped(?::.*)?|Dubious, test returned .*|Failed \d+/\d+ subtests.*|No subtests run.*)$`,
)

// prove reads prove's own lines, which are not of the protocol.
func (p *Parser) prove(s string) bool {
	if stop, ok := strings.CutPrefix(s, "Bailout called.  Further testing stopped:"); ok {
		p.out = append(p.out, results.Case{
			Suite: p.suite, Case: "bail-out", Result: results.Fail, Message: results.Line(stop), LogLine: p.at(),
		})
		return true
	}
	if m := scriptLine.FindStringSubmatch(s); m != nil {
		p.leave()
		p.proving, p.script = true, script{name: results.Line(m[1])}
		if m[2] != "" {
			p.scriptResult(m[2])
		}
		return true
	}
	if !p.proving {
		return false
	}
	switch s = strings.TrimRight(s, " \t"); {
	case s == "All tests successful.", s == "Test Summary Report", strings.HasPrefix(s, "Files="):
		p.leave()
	case strings.HasPrefix(s, "Result: "):
		p.leave()
		p.proving = false
	case p.script.name == "":
		return false
	case verdict.MatchString(s):
		p.scriptResult(s)
	default:
		return false
	}
	return true
}

// scriptResult adds what prove prints of a file, which may be more than one thing.
func (p *Parser) scriptResult(s string) {
	p.finish()
	c := p.script.said
	if c == nil {
		c = &results.Case{Case: p.script.name, Suite: p.suite, LogLine: p.at()}
		p.script.said = c
	}
	switch why, skipped := strings.CutPrefix(s, "skipped"); {
	case s == "ok" && c.Result == "":
		c.Result = results.Pass
	case skipped && c.Result == "":
		c.Result, c.Message = results.Skip, results.Line(strings.TrimPrefix(why, ":"))
	case s != "ok":
		c.Result, c.Message = results.Fail, strings.TrimSpace(c.Message+"\n"+results.Line(s))
	}
}

// leave ends a file.
func (p *Parser) leave() {
	p.finish()
	if p.script.name == "" {
		return
	}
	c := p.script.said
	if c == nil {
		c = &results.Case{
			Case: p.script.name, Suite: p.suite, Result: results.Missing, Message: "it began and did not end", LogLine: p.at(),
		}
	}
	p.script = script{}
	p.out = append(p.out, *c)
}

// proved is Close for prove: without its last line there may have been more files.
func (p *Parser) proved() {
	p.leave()
	if p.proving {
		p.emit(results.Case{Case: "prove", Result: results.Missing, Message: "its result did not come", LogLine: p.at()})
		p.proving = false
	}
}
