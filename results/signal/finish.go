package signal

import (
	"fmt"
	"time"

	"github.com/gantry-ci/gantry/results"
)

// How a run ended.
type ending int

const (
	ended   ending = iota // with its last step
	early                 // before it
	unknown               // its end was not seen, and may have been lost
)

// cutShort is how a run ended whose end was not seen although the output went on.
func (s *state) cutShort() ending {
	if s.run.gap {
		return unknown
	}
	return early
}

// finishRun ends the running definition: what it announced or promised and did not report is missing.
func (s *state) finishRun(line int, at time.Time, how ending) {
	r := s.run
	for _, id := range r.order {
		if t := r.open[id]; t != nil {
			s.missing(r.Name, id, t.line, "the case was started, and its result never came")
		}
	}
	if r.def != nil {
		for _, id := range r.def.Expected {
			if !r.cases[id] {
				s.missing(r.Name, id, line, "the case is expected, and was not reported")
			}
		}
	}
	s.run = nil
	c := &results.Case{Suite: results.PipelineSuite, Case: r.Name, Result: results.Pass, LogLine: lineOf(line)}
	if !r.at.IsZero() && !at.IsZero() {
		c.DurationS = seconds(at.Sub(r.at))
	}
	switch how {
	case ended:
	case early:
		c.Result, c.Message = results.Fail, "the run ended before its last step"
		if r.status != 0 {
			c.Message = fmt.Sprintf("a step failed with status %d and ended the run", r.status)
		}
		s.sum.Early = append(s.sum.Early, r.Name+": "+c.Message)
	case unknown:
		c.Result, c.Message = results.Missing, "the run's end was not seen"
		s.sum.Unfinished = append(s.sum.Unfinished, r.Name)
	}
	end := RunEnd{Run: r.Run, Early: how != ended, Status: r.status}
	s.emit(Item{Line: line, EndRun: &end})
	s.emit(Item{Line: line, Case: c})
}

// close reports what never came. Whole says that the output itself is known to be complete.
func (s *state) close(whole bool) {
	if s.run != nil {
		how := unknown
		if s.sum.Raise != "" || whole && s.sum.Exit {
			how = s.cutShort()
		}
		s.finishRun(s.run.line, time.Time{}, how)
	}
	if s.sum.Raise != "" {
		return // it ends the test: what is not there was not to come
	}
	for i := range s.opts.Definitions {
		if d := &s.opts.Definitions[i]; !s.started[d.Run] {
			s.missing(results.PipelineSuite, d.Run, 0, "the run did not start")
			for _, id := range d.Expected {
				s.missing(d.Run, id, 0, "the case is expected, and its run did not start")
			}
		}
	}
}

// missing emits a case that should be there and is not.
func (s *state) missing(suite, name string, line int, why string) {
	s.sum.Missing++
	c := &results.Case{Suite: suite, Case: name, Result: results.Missing, Message: why, LogLine: lineOf(line)}
	s.emit(Item{Line: line, Case: c})
}
