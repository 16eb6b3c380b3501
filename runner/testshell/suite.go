package testshell

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/gantry-ci/gantry/internal/plaintext"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/signal"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/plan"
)

// suite reports the cases of a suite that gantry itself reads off the console, and holds them against what is expected.
type suite struct {
	r        *plan.Run
	session  *flow.Session
	name     string
	expected []string
	reported []string
}

func newSuite(r *plan.Run, s *flow.Session, name string, expected []string) *suite {
	s.SetCase(s.Now(), name, "")
	return &suite{r: r, session: s, name: name, expected: expected}
}

// report emits a case; what has no name is none.
func (s *suite) report(c *results.Case) {
	if c.Case == "" {
		return
	}
	c.Suite = s.name
	s.reported = append(s.reported, c.Case)
	if len(s.expected) > 0 && !slices.Contains(s.expected, c.Case) {
		c.Result, c.Note = results.Fail, signal.NoteUnexpected
	}
	if c.LogLine != nil {
		c.Log = s.session.Log()
	}
	s.r.Emit(results.Event{Case: c})
}

// broken reports a case that did not come to its end: it has failed when its time ran out, and is missing when the
// console or the run was cut off.
func (s *suite) broken(ctx context.Context, name string, err error) {
	timeout := (*connectionTimeoutError)(nil)
	if errors.As(err, &timeout) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		s.report(&results.Case{Case: name, Result: results.Fail, Message: err.Error()})
		return
	}
	s.missing(name, err.Error())
}

// missing reports a case that was announced and did not come.
func (s *suite) missing(name, why string) {
	s.report(&results.Case{Case: name, Result: results.Missing, Message: why})
}

// end reports what was expected and did not come, and how the suite itself went, as LAVA has it.
func (s *suite) end(start time.Time, err error) {
	for _, name := range s.expected {
		if !slices.Contains(s.reported, name) {
			s.missing(name, "the case is expected, and was not reported")
		}
	}
	s.session.SetCase(s.session.Now(), "", "")
	elapsed := time.Since(start).Seconds()
	c := &results.Case{Suite: results.PipelineSuite, Case: s.name, Result: results.Pass, DurationS: &elapsed}
	if err != nil {
		c.Result, c.Message = results.Fail, err.Error()
	}
	s.r.Emit(results.Event{Case: c})
}

// name makes what a target printed fit for the record.
func name(s string) string { return plaintext.Head(s, results.MaxName) }

func result(s string) string {
	switch s {
	case results.Pass, results.Fail, results.Skip:
		return s
	}
	return results.Unknown
}

// number reads a measurement; nil when it is none that JSON can carry.
func number(s string) *float64 {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return nil
	}
	return &n
}
