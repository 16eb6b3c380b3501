package junit

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

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

// reader is a document being read.
type reader struct {
	suite  string
	lines  []int
	dec    *xml.Decoder
	path   []element
	open   *results.Case
	cases  []results.Case
	passed int // cases over the limit
}

func (r *reader) read() error {
	for {
		t, err := r.dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if r.open != nil && r.open.Result != results.Fail {
				r.open.Result, r.open.Message = results.Unknown, "the report ends within it"
			}
			r.endCase()
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if err := r.start(t); err != nil {
				return err
			}
		case xml.EndElement:
			r.end()
		case xml.CharData:
			r.data(t)
		}
	}
	if r.passed > 0 {
		return fmt.Errorf("%d cases after the first %d", r.passed, maxCases)
	}
	return nil
}

func (r *reader) line() *int {
	at, _ := r.dec.InputPos()
	no := r.lines[min(max(at-1, 0), len(r.lines)-1)]
	return &no
}

func attr(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return results.Line(a.Value)
		}
	}
	return ""
}

func (r *reader) start(t xml.StartElement) error {
	if len(r.path) == maxDepth {
		return fmt.Errorf("elements nested more than %d deep", maxDepth)
	}
	e := element{name: t.Name.Local, counts: -1, line: *r.line()}
	if len(r.path) == 0 && e.name != "testsuites" && e.name != "testsuite" {
		return fmt.Errorf("the root is %q, not testsuites or testsuite", results.Line(e.name))
	}
	switch e.name {
	case "testsuite":
		e.suite = attr(t, "name")
		if n, err := strconv.ParseUint(attr(t, "tests"), 10, 31); err == nil {
			e.counts = int(n)
		}
		for _, name := range []string{"failures", "errors"} {
			if n, err := strconv.ParseUint(attr(t, name), 10, 31); err == nil {
				e.fails += int(n)
			}
		}
	case "testcase":
		r.begin(t)
	case "failure", "error":
		if r.open == nil {
			r.outside(e.name, attr(t, "message"))
		}
		r.result(results.Fail, attr(t, "message"))
	case "skipped":
		if r.result(results.Skip, attr(t, "message")); r.open != nil && attr(t, "type") == "todo" { // node's
			r.open.Note = "todo"
		}
	case "property":
		r.property(attr(t, "name"), attr(t, "value"))
	}
	r.path = append(r.path, e)
	return nil
}

// begin begins a case.
func (r *reader) begin(t xml.StartElement) {
	r.endCase()
	c := &results.Case{Suite: r.suite, Case: attr(t, "name"), Result: results.Pass, LogLine: r.line()}
	if c.Case == "" {
		c.Case = "unnamed"
	}
	set := attr(t, "classname")
	for i := len(r.path) - 1; i >= 0; i-- {
		if r.path[i].name == "testsuite" {
			if set == "" {
				set = r.path[i].suite
			}
			r.path[i].has++ // and so do those around it, whose counts include it
		}
	}
	if set != "" {
		c.Set = &set
	}
	if s, err := strconv.ParseFloat(strings.ReplaceAll(attr(t, "time"), ",", ""), 64); err == nil && s >= 0 && s < 1e9 {
		c.DurationS = &s
	}
	if s := attr(t, "status"); s == "notrun" || s == "disabled" || s == "skipped" {
		c.Result = results.Skip
	}
	r.open = c
}

// result is that of the open case; a failure outweighs.
func (r *reader) result(result, message string) {
	if r.open == nil || r.open.Result == results.Fail || r.open.Note == "todo" {
		return
	}
	r.open.Result, r.open.Message = result, message
}

func (r *reader) property(name, value string) {
	if r.open == nil {
		return
	}
	switch name {
	case "measurement":
		if v, err := strconv.ParseFloat(value, 64); err == nil && !math.IsInf(v, 0) && !math.IsNaN(v) {
			r.open.Measurement = &v
		}
	case "units":
		r.open.Units = &value
	}
}

// data is the message where no attribute was one.
func (r *reader) data(text xml.CharData) {
	if r.open == nil || r.open.Message != "" || len(r.path) == 0 {
		return
	}
	if name := r.path[len(r.path)-1].name; name == "failure" || name == "error" || name == "skipped" {
		r.open.Message = results.Line(string(text[:min(len(text), results.MaxName)]))
	}
}

func (r *reader) end() {
	e := r.path[len(r.path)-1]
	r.path = r.path[:len(r.path)-1]
	switch e.name {
	case "testcase":
		r.endCase()
	case "testsuite":
		r.addUnlisted(&e)
	}
}

func (r *reader) endCase() {
	if r.open != nil {
		r.add(*r.open)
		r.open = nil
	}
}

func (r *reader) add(c results.Case) {
	if c.Result == results.Fail || c.Note == "todo" {
		for i := range r.path {
			r.path[i].failed++
		}
	}
	if len(r.cases) >= maxCases {
		r.passed++
		return
	}
	r.cases = append(r.cases, c)
}
