package junit

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/gantry-ci/gantry/results"
)

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
