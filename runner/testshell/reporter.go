package testshell

import (
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/signal"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/plan"
)

// reporter passes on what the parser finds in a run's output: cases to the record, calls to the operator.
type reporter struct {
	r         *plan.Run
	session   *flow.Session
	console   *console.Console
	log       string // what results call the console's log
	runs      *runs
	tries     *tries
	try       int // of the definitions, from 1
	formats   map[string]*formatted
	operator  *operator
	namespace string

	suite string // that runs
	line  int    // the last line of the console on which something was found
}

// report passes an item on.
func (p *reporter) report(i signal.Item) {
	p.line = max(p.line, i.Line)
	switch {
	case i.StartRun != nil:
		p.suite = i.StartRun.Name
		p.formats[p.suite].begin(p.line)
		p.session.SetCase(p.line, p.suite, "")
	case i.EndRun != nil:
		p.session.SetCase(p.line, "", "")
		for _, c := range p.formats[i.EndRun.Name].end(p.console, i.Line) {
			p.emit(&c, p.try)
		}
	case i.StartCase != "":
		p.session.SetCase(p.line, p.suite, i.StartCase)
	case i.EndCase != "":
		p.session.SetCase(p.line, p.suite, "")
	case i.Case != nil:
		try := p.try
		if i.Late > 0 {
			try = p.runs.tries[i.Late]
		}
		p.emit(i.Case, try)
	case i.Request != nil:
		p.operator.call(i.Request)
	case i.Feedback != "":
		p.operator.feedback(i.Feedback, p.namespace)
	case i.Event != "":
		p.r.Logf("info", "event: %s", i.Event)
	case i.Raise != "":
		p.r.Logf("error", "the test raised: %s", i.Raise)
	}
}

func (p *reporter) emit(c *results.Case, try int) {
	if try > 1 {
		c.Try = try
	}
	if c.LogLine != nil {
		c.Log = p.log
	}
	p.r.Emit(results.Event{Case: c})
	p.tries.add(c)
}

// logSummary writes what came of a run into the record, for people.
func (p *reporter) logSummary(sum *signal.Summary) {
	p.r.Logf("info", "results: %d cases, %d missing, %d put together again, %d only in the manifest, "+
		"%d first by the results device, %d unsequenced",
		sum.Cases, sum.Missing, sum.Reassembled, sum.Recovered, sum.Device, sum.Unsequenced)
	if sum.Late > 0 {
		p.r.Logf("warning", "results: %d of these came late, from processes that earlier test blocks or tries left behind",
			sum.Late)
	}
}
