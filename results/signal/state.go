package signal

import (
	"fmt"
	"strings"
	"time"
)

// unknownSuite is the suite of what is reported outside of any run.
const unknownSuite = "unknown"

// state applies signals in their order and emits what they say.
type state struct {
	opts *Options
	emit func(Item)
	sum  *Summary

	run       *run            // the definition that runs, or nil
	started   map[string]bool // definitions, by name
	suite     string          // the last definition's name
	unsure    string          // the note for cases after a gap
	conflicts int             // numbers that two signals had
	doubts    int             // signals reported as missing because nobody can say what they are
}

// run is a test definition that has started.
type run struct {
	Run
	def    *Definition // nil when it was not announced
	line   int         // of its start
	at     time.Time   // of its start
	set    *string
	open   map[string]*timing // cases that were started
	order  []string           // of open
	cases  map[string]bool    // reported
	status int                // by RUNEXIT; 0 before
	gap    bool               // records are missing since its start: its end may be among them
}

// timing is when a case ran.
type timing struct {
	start, end time.Time
	line       int
	ended      bool
}

func newState(o *Options, emit func(Item), sum *Summary) *state {
	return &state{opts: o, emit: emit, sum: sum, started: map[string]bool{}}
}

// output shows a piece of output to the running definition's parse pattern.
func (s *state) output(p piece) {
	if s.run == nil || s.run.def == nil || s.run.def.Pattern == nil {
		return
	}
	if c := s.run.def.match(p.text); c != nil {
		c.LogLine = &p.line
		s.report(Item{Line: p.line}, c)
	}
}

// apply applies one signal. Its text is whole and, when it has a number, undamaged.
func (s *state) apply(r record) {
	it := Item{Line: r.line, Seq: r.seq}
	name, rest := signal(r.text)
	switch name {
	case "STARTRUN":
		s.startRun(it, rest, r.at)
	case "ENDRUN":
		s.endRun(it, rest, r.at)
	case "RUNEXIT":
		s.runExit(it, rest, r.at)
	case "STARTTC":
		s.startCase(it, rest, r.at)
	case "ENDTC":
		s.endCase(it, rest, r.at)
	case "TESTCASE":
		s.testCase(it, rest, r)
	case "TESTSET":
		s.testSet(it, rest)
	case "TESTREFERENCE":
		s.reference(it, rest, r)
	case installFail:
		s.sum.InstallFail = true
		it.InstallFail = true
		s.emit(it)
	default:
		if !r.sent {
			s.urgent(r)
		}
	}
}

// urgent emits at once what the runner must act on, though records before it may still be missing.
func (s *state) urgent(r record) bool {
	it := Item{Line: r.line, Seq: r.seq}
	name, rest := signal(r.text)
	switch name {
	case "TESTRAISE":
		if s.sum.Raise == "" {
			s.sum.Raise = text(rest, maxMessage)
		}
		it.Raise = text(rest, maxMessage)
	case "TESTFEEDBACK":
		it.Feedback = text(rest, maxName)
	case "TESTEVENT":
		it.Event = text(rest, maxMessage)
	case RequestSend, RequestSync, RequestWait, RequestWaitAll:
		it.Request = &Request{Kind: name, Args: strings.Fields(text(rest, maxMessage))}
	default:
		return false
	}
	if it.Raise != "" || it.Feedback != "" || it.Event != "" || it.Request != nil {
		s.emit(it)
	}
	return true
}

// startRun begins a definition, and ends the one before it.
func (s *state) startRun(it Item, rest string, at time.Time) {
	if s.run != nil {
		s.finishRun(it.Line, at, s.cutShort())
	}
	name, uuid, _ := strings.Cut(rest, " ")
	s.run = &run{
		Run: Run{text(name, maxName), text(uuid, maxName)}, line: it.Line, at: at,
		open: map[string]*timing{}, cases: map[string]bool{},
	}
	s.run.def = s.definition(s.run.Name)
	s.suite, s.started[s.run.Name], s.unsure = s.run.Name, true, ""
	started := s.run.Run
	it.StartRun = &started
	s.emit(it)
}

func (s *state) definition(name string) *Definition {
	for i := range s.opts.Definitions {
		if s.opts.Definitions[i].Run == name {
			return &s.opts.Definitions[i]
		}
	}
	return nil
}

// endRun ends the run that is named. A run whose start was lost is ended all the same.
func (s *state) endRun(it Item, rest string, at time.Time) {
	if s.ensureRun(it, rest, at) {
		s.finishRun(it.Line, at, ended)
	}
}

// runExit ends the definition of which a step failed.
func (s *state) runExit(it Item, rest string, at time.Time) {
	name, number, _ := strings.Cut(rest, " ")
	var status int
	if _, err := fmt.Sscanf(number, "%d", &status); err != nil {
		status = 0
	}
	if s.run != nil && s.run.Name == name {
		s.run.status = status
		s.finishRun(it.Line, at, early)
	}
}

// ensureRun makes the run that rest names the running one; false when it has ended already.
func (s *state) ensureRun(it Item, rest string, at time.Time) bool {
	name, _, _ := strings.Cut(rest, " ")
	name = text(name, maxName)
	switch {
	case s.run != nil && s.run.Name == name:
	case s.started[name]:
		return false
	default:
		s.startRun(it, rest, at)
	}
	return true
}

// lineOf is nil for what no line of the console shows.
func lineOf(line int) *int {
	if line < 1 {
		return nil
	}
	return &line
}

func seconds(d time.Duration) *float64 {
	f := d.Seconds()
	return &f
}
