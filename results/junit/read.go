package junit

import (
	"bytes"
	"encoding/xml"
	"fmt"

	"github.com/gantry-ci/gantry/internal/printk"
	"github.com/gantry-ci/gantry/results"
)

// Limits: what a test left behind is hostile.
const (
	maxXML   = 64 << 20
	maxDepth = 100
	maxCases = 100_000
)

// Parser reads JUnit XML line by line.
type Parser struct {
	suite string
	text  []byte
	lines []int // number of each line
	over  bool
}

// New reads JUnit XML; its cases are of the suite. A case's set is its class name, or else its testsuite's name. A
// failure and an error are fail, what was skipped, disabled or not run is skip, and so is a failed to-do. What a
// testsuite counts and does not hold is missing; so is the rest of a document that is cut off or broken. A failure that
// a testsuite has as a whole, or only counts, is a failed case "error", "failure" or "failures". The properties
// "measurement" and "units" are the case's.
func New(suite string) *Parser { return &Parser{suite: suite} }

// Line gathers a line, whose 1-based number is no.
func (p *Parser) Line(line []byte, no int) []results.Case {
	if len(p.text)+len(line) >= maxXML {
		p.over = true
		return nil
	}
	if len(p.text) == 0 && !bytes.HasPrefix(bytes.TrimSpace(line), []byte("<")) {
		return nil // not begun
	}
	p.text = append(append(p.text, bytes.TrimRight(line, "\r\n")...), '\n')
	p.lines = append(p.lines, no)
	return nil
}

// Close returns the cases.
func (p *Parser) Close() []results.Case {
	if len(p.text) == 0 {
		return nil
	}
	r := reader{suite: p.suite, lines: p.lines, dec: xml.NewDecoder(bytes.NewReader(p.text))}
	err := r.read()
	if err != nil && !p.over { // perhaps the kernel printed into it
		text, lines := printk.Uninterrupted(p.text, p.lines)
		second := reader{suite: p.suite, lines: lines, dec: xml.NewDecoder(bytes.NewReader(text))}
		if len(lines) > 0 && second.read() == nil {
			r, err = second, nil
		}
	}
	if p.over {
		err = fmt.Errorf("it is over %d bytes", maxXML)
	}
	if err != nil {
		last := p.lines[len(p.lines)-1]
		r.cases = append(r.cases, results.Case{
			Suite: p.suite, Case: "report", Result: results.Missing, LogLine: &last,
			Message: results.Line("read JUnit XML: " + err.Error()),
		})
	}
	p.text, p.lines, p.over = nil, nil, false
	return r.cases
}
