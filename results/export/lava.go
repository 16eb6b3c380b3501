package export

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/gantry-ci/gantry/results"
)

// LAVA is the fold of a run's events to LAVA's results: the list that its REST interface gives for
// /api/v0.2/jobs/ID/yaml/, one mapping a case, the pipeline's own in the suite "lava". LAVA has no missing results:
// what is missing has failed there; and no second tries: a case of a definition that was run again is there once, with
// the result that counts. It is not for concurrent use.
type LAVA struct {
	job string
	res *results.Results
	at  []moment // of each of the results' cases
}

// moment is when a case came, and where in the plan.
type moment struct {
	time  time.Time
	level string
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
	Metadata    map[string]any `yaml:"metadata"` // what the dispatcher reports of the case
}

// NewLAVA is the list of a run with this id, before its first event.
func NewLAVA(job string) *LAVA { return &LAVA{job: job, res: results.NewResults()} }

// Apply folds one event in.
func (x *LAVA) Apply(e results.Event) {
	x.res.Apply(e)
	if e.Verdict != nil {
		x.end(e)
	}
	for len(x.at) < len(x.res.Cases) {
		x.at = append(x.at, moment{e.Time, e.Level})
	}
}

// timeFormat is Python's isoformat of a UTC time.
const timeFormat = "2006-01-02T15:04:05.000000-07:00"

// noMeasurement is how LAVA writes that there is none.
const noMeasurement = "None"

// entry is the case of the index, as LAVA has it.
func (x *LAVA) entry(i int) entry {
	c, at := &x.res.Cases[i], x.at[i]
	n := entry{
		ID: strconv.Itoa(i + 1), Job: x.job, Suite: c.Suite, Name: c.Case, Result: c.Result, Measurement: noMeasurement,
		Level: at.level, Logged: at.time.UTC().Format(timeFormat),
		Metadata: map[string]any{"case": c.Case, "definition": c.Suite},
	}
	if c.Result == results.Missing {
		n.Result = results.Fail
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
	if c.LogLine != nil && c.Log == "" { // LAVA has one log
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
	for key, text := range map[string]string{
		"log": c.Log, "level": at.level, "error_msg": c.Message, "note": c.Note, "known_failure": c.Known,
	} {
		if text != "" {
			n.Metadata[key] = text
		}
	}
	if kind := errorType(x.res.Class); kind != "" && n.Result == results.Fail && c.Suite == results.PipelineSuite &&
		c.Case == runCase {
		n.Metadata["error_type"], n.Metadata["error_msg"] = kind, x.res.Message
	}
	return n
}

// runCase is the case that stands for the run itself.
const runCase = "job"

// end gives the case of the run, which is the plan's root, its result. As in LAVA, a run whose tests failed is
// complete: only what kept the run from its end makes it fail.
func (x *LAVA) end(e results.Event) {
	i := len(x.res.Cases) - 1
	for i >= 0 && (x.res.Cases[i].Suite != results.PipelineSuite || x.res.Cases[i].Case != runCase) {
		i--
	}
	if i < 0 { // the plan was refused: nothing ran
		x.res.Apply(results.Event{Case: &results.Case{Suite: results.PipelineSuite, Case: runCase, Result: results.Fail}})
		return
	}
	if c := e.Verdict.Class; c != "" && c != results.ClassTest {
		x.res.Cases[i].Result = results.Fail
	}
}

// errorType is LAVA's error type for a class.
func errorType(c results.Class) string {
	switch c {
	case results.ClassTest:
		return "Test"
	case results.ClassJob:
		return "Job"
	case results.ClassInfrastructure:
		return "Infrastructure"
	case results.ClassTimeout:
		return "LAVATimeout"
	case results.ClassCanceled:
		return "Canceled"
	case results.ClassBug:
		return "Bug"
	}
	return ""
}

// Write writes the list, as YAML.
func (x *LAVA) Write(w io.Writer) error {
	if len(x.res.Cases) == 0 {
		_, err := io.WriteString(w, "[]\n")
		return err
	}
	// One document in pieces: to encode a hundred thousand cases in one call takes too much time and memory.
	for i := range x.res.Cases {
		b, err := yaml.Marshal([]entry{x.entry(i)})
		if err != nil {
			return fmt.Errorf("write LAVA's results: %w", err)
		}
		if _, err := w.Write(b); err != nil {
			return fmt.Errorf("write LAVA's results: %w", err)
		}
	}
	return nil
}
