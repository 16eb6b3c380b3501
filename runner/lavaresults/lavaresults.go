// Package lavaresults writes a run's results as LAVA exports them, for the dashboards that read LAVA (SQUAD, KCIDB): the
// list that its REST interface gives for /api/v0.2/jobs/ID/yaml/, one mapping a case, the pipeline's own in the suite
// "lava". LAVA has no missing results: what is missing has failed there.
package lavaresults

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/gantry-ci/gantry/jobs"
)

// Export is the fold of a run's events. It is not for concurrent use.
type Export struct {
	job   string
	cases []entry
}

// entry is a case, with LAVA's keys in its order. Numbers are text there.
type entry struct {
	ID          string         `yaml:"id"`
	Job         string         `yaml:"job"`
	Suite       string         `yaml:"suite"`
	Name        string         `yaml:"name"`
	Result      string         `yaml:"result"` // pass, fail, skip or unknown
	Measurement string         `yaml:"measurement"`
	Unit        string         `yaml:"unit"`
	Level       string         `yaml:"level"`
	Logged      string         `yaml:"logged"` // 2026-01-02T03:04:05.678901+00:00
	StartLine   string         `yaml:"log_start_line"`
	EndLine     string         `yaml:"log_end_line"`
	Metadata    map[string]any `yaml:"metadata"` // what the dispatcher said of the case
}

// New is the export of a run with this id, before its first event.
func New(job string) *Export { return &Export{job: job} }

// Apply folds one event in.
func (x *Export) Apply(e jobs.Event) {
	switch {
	case e.Case != nil:
		x.add(e, e.Case)
	case e.Verdict != nil:
		x.end(e, e.Verdict)
	}
}

// timeFormat is Python's isoformat of a UTC time.
const timeFormat = "2006-01-02T15:04:05.000000-07:00"

// noMeasurement is how LAVA writes that there is none.
const noMeasurement = "None"

func (x *Export) add(e jobs.Event, c *jobs.Case) {
	n := entry{
		ID: strconv.Itoa(len(x.cases) + 1), Job: x.job, Suite: c.Suite, Name: c.Case, Result: c.Result, Measurement: noMeasurement,
		Level: e.Level, Logged: stamp(e.Time), Metadata: map[string]any{"case": c.Case, "definition": c.Suite},
	}
	if c.Result == jobs.Missing {
		n.Result = jobs.Fail
		n.Metadata["missing"] = true
	}
	n.Metadata["result"] = n.Result
	if c.Measurement != nil {
		n.Measurement = fmt.Sprintf("%.10f", *c.Measurement)
		n.Metadata["measurement"] = *c.Measurement
	}
	if c.Units != nil {
		n.Unit = *c.Units
		n.Metadata["units"] = *c.Units
	}
	if c.LogLine != nil {
		n.StartLine = strconv.Itoa(*c.LogLine)
		n.EndLine = n.StartLine
	}
	if c.Set != nil {
		n.Metadata["set"] = *c.Set
	}
	if c.DurationS != nil {
		n.Metadata["duration"] = fmt.Sprintf("%.2f", *c.DurationS)
	}
	if c.Reference != nil {
		n.Metadata["reference"] = *c.Reference
	}
	if e.Level != "" {
		n.Metadata["level"] = e.Level
	}
	if c.Message != "" {
		n.Metadata["error_msg"] = c.Message
	}
	if c.Note != "" {
		n.Metadata["note"] = c.Note
	}
	x.cases = append(x.cases, n)
}

// runCase is the case that stands for the run itself.
const runCase = "job"

// end tells the case of the run, which is the plan's root, what the run came to. A run whose tests failed is complete,
// as LAVA has it: only what kept it from its end makes it fail.
func (x *Export) end(e jobs.Event, v *jobs.Verdict) {
	i := len(x.cases) - 1
	for i >= 0 && (x.cases[i].Suite != jobs.PipelineSuite || x.cases[i].Name != runCase) {
		i--
	}
	if i < 0 { // the plan was refused: nothing ran
		x.add(e, &jobs.Case{Suite: jobs.PipelineSuite, Case: runCase, Result: jobs.Fail})
		i = len(x.cases) - 1
	}
	n := &x.cases[i]
	if kind := errorType(v.Class); n.Result == jobs.Fail && kind != "" {
		n.Metadata["error_type"], n.Metadata["error_msg"] = kind, v.Message
	}
}

// errorType is LAVA's word for whose fault it is.
func errorType(c jobs.Class) string {
	switch c {
	case jobs.ClassTest:
		return "Test"
	case jobs.ClassJob:
		return "Job"
	case jobs.ClassInfrastructure:
		return "Infrastructure"
	case jobs.ClassTimeout:
		return "LAVATimeout"
	case jobs.ClassCanceled:
		return "Canceled"
	case jobs.ClassBug:
		return "Bug"
	}
	return ""
}

func stamp(t time.Time) string { return t.UTC().Format(timeFormat) }

// Write writes the list.
func (x *Export) Write(w io.Writer) error {
	if len(x.cases) == 0 {
		_, err := io.WriteString(w, "[]\n")
		return err
	}
	// One document in pieces: what encodes a hundred thousand cases at once takes its time and memory.
	for i := range x.cases {
		b, err := yaml.Marshal(x.cases[i : i+1])
		if err != nil {
			return fmt.Errorf("write LAVA's results: %w", err)
		}
		if _, err := w.Write(b); err != nil {
			return fmt.Errorf("write LAVA's results: %w", err)
		}
	}
	return nil
}
