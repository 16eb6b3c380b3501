package ltp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gantry-ci/gantry/internal/printk"
	"github.com/gantry-ci/gantry/results"
)

// document gathers kirk's JSON: {"results": [{"test_fqn", "status", "test": {"duration", "retval", …}}], "stats": …}.
type document struct {
	text  []byte
	lines []int // number of each line
	over  bool
	at    int64 // up to here
	count int   // so many lines end
}

func (r *document) add(line []byte, no int) {
	if len(r.text)+len(line) > maxJSON {
		r.over = true
		return
	}
	r.text = append(append(r.text, bytes.TrimRight(line, "\r\n")...), '\n')
	r.lines = append(r.lines, no)
}

type entry struct {
	Name   string `json:"test_fqn"`
	Status string `json:"status"`
	Test   struct {
		Duration float64  `json:"duration"`
		Retval   []string `json:"retval"`
		Result   string   `json:"result"`
	} `json:"test"`
}

// report makes the cases of a report; one that is cut off or broken says so by a missing case.
func (p *Parser) report() {
	r := &p.json
	if !json.Valid(r.text) { // perhaps the kernel printed into it
		if text, lines := printk.Uninterrupted(r.text, r.lines); json.Valid(text) {
			r.text, r.lines = text, lines
		}
	}
	if err := p.results(json.NewDecoder(bytes.NewReader(r.text))); err != nil || r.over {
		message := fmt.Sprintf("the report is over %d bytes", maxJSON)
		if !r.over {
			message = results.Line("read the report: " + err.Error())
		}
		last := r.lines[len(r.lines)-1]
		p.emit(results.Case{Case: "report", Result: results.Missing, Message: message, LogLine: &last})
	}
	p.json, p.mode = document{}, outside
}

func (p *Parser) results(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		if key != "results" {
			var skip json.RawMessage
			if err := dec.Decode(&skip); err != nil {
				return err
			}
			continue
		}
		if t, err := dec.Token(); err != nil || t != json.Delim('[') {
			return errors.Join(errors.New("its results are no list"), err)
		}
		for dec.More() {
			var e entry
			at := p.json.line(dec.InputOffset())
			if err := dec.Decode(&e); err != nil {
				return err
			}
			p.entry(&e, at)
		}
		if _, err := dec.Token(); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

// line is the number of the line in which what follows the offset begins; offsets only grow.
func (r *document) line(off int64) int {
	for off < int64(len(r.text)) && bytes.IndexByte([]byte(", \t\n"), r.text[off]) >= 0 {
		off++
	}
	r.count += bytes.Count(r.text[r.at:off], []byte("\n"))
	r.at = off
	return r.lines[min(r.count, len(r.lines)-1)]
}

func (p *Parser) entry(e *entry, line int) {
	c := results.Case{Case: results.Line(e.Name), LogLine: &line}
	if c.Case == "" {
		c.Case = "unnamed"
	}
	switch e.Status {
	case "pass":
		c.Result = results.Pass
	case "conf":
		c.Result = results.Skip
	case "fail", "brok", "warn":
		c.Result, c.Message = results.Fail, e.Status
		if len(e.Test.Retval) > 0 {
			c.Message = results.Line(e.Status + ", exit " + e.Test.Retval[0])
		}
	default:
		c.Result, c.Message = results.Unknown, results.Line(e.Status)
	}
	if e.Test.Duration >= 0 {
		c.DurationS = &e.Test.Duration
	}
	p.emit(c)
}
