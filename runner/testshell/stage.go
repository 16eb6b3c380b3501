package testshell

import (
	"context"
	"slices"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/signal"
	"github.com/gantry-ci/gantry/runner/beside"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/overlay"
	"github.com/gantry-ci/gantry/runner/plan"
)

// manifestTries is how often the target is asked to repeat its results when some came in damaged.
const manifestTries = 3

// stage is one test action with definitions.
type stage struct {
	session   *flow.Session
	spec      *overlay.Spec
	index     int // of the overlay's stages
	first     int // the number of its first definition
	job       *jobs.TestDefinitions
	fetched   *map[*jobs.Definition]*jobs.TestDefinition
	login     *jobs.ResultsLogin // the way of results by ssh; nil for none
	runs      *runs
	group     *group
	namespace string
	retries   int // how often the definitions of failed cases are run again
}

// request says what a run is to run.
type request struct {
	definitions []signal.Definition
	try         int // of the definitions, from 1
	typed       func(number int) typed
}

// typed is what is typed to start a run, and to have it repeat its manifest.
type typed struct {
	commands []string
	manifest string
}

// execute is the step.
func (s *stage) execute(ctx context.Context, r *plan.Run) error {
	defs, err := expected(s.job, s.first, s.source)
	if err != nil {
		return results.Blame(results.ClassJob, err)
	}
	s.session.Shell.CharDelay = s.session.Delay
	s.followFile(ctx, r)
	t := newTries()
	first := request{defs, 1, func(number int) typed {
		return typed{s.spec.Commands(s.index, number), s.spec.ManifestCommand(s.index)}
	}}
	if err := s.run(ctx, r, t, first); err != nil {
		return err
	}
	return s.retry(ctx, r, t, defs)
}

// followFile has the target's file of results followed by ssh, where its device file asks for that, from the first
// stage of a boot on. It waits for nothing: without a session the console has the results, so what goes wrong is only
// logged.
func (s *stage) followFile(ctx context.Context, r *plan.Run) {
	if s.login == nil || s.session.Port != nil {
		return
	}
	tail := beside.StartTail(context.WithoutCancel(ctx), beside.TailOptions{
		Login: s.login, File: s.spec.ResultsPath(), Logf: r.Logf,
	})
	record, err := beside.OpenRecord(r.Dir, tail, beside.RecordOptions{
		Name: s.session.Shell.Console().Name(), Logger: r.Logger,
	})
	if err != nil {
		_ = tail.Close()
		r.Logf("warning", "results by ssh: %v; the console alone has the results", err)
		return
	}
	s.session.Port = record
	r.Journal.Defer(func() error {
		if n := record.Dropped(); n > 0 {
			r.Logf("warning", "results by ssh: more came than is kept: %d bytes were dropped", n)
		}
		if s.session.Port == record {
			s.session.Port = nil
		}
		return record.Close()
	})
}

// run has definitions run, for the first time or again.
func (s *stage) run(ctx context.Context, r *plan.Run, t *tries, q request) error {
	con := s.session.Shell.Console()
	since := con.Size()
	number, from := s.runs.next(con, q.try)
	rep := &reporter{
		r: r, session: s.session, console: con, log: s.session.Log(), runs: s.runs, tries: t, try: q.try,
		formats:  s.formats(),
		operator: newOperator(r, s.group, s.session.Shell), namespace: s.namespace, line: con.LineAt(from),
	}
	in := newIntake(con.From(from), signal.Options{
		Definitions: q.definitions, Sequenced: true, Line: con.LineAt(from), Since: con.LineAt(since),
		Run: number, History: &s.runs.history,
	}, rep.report)
	in.reached = s.session.Read
	var o outcome
	o.end, o.cause = s.converse(ctx, r, in, rep.operator, number, q.typed(number))
	// What was lost is reported whatever ended the step, so that it never passes for complete.
	o.summary = in.parser.Close()
	t.end()
	s.session.SetCase(s.session.Now(), "", "")
	rep.logSummary(&o.summary)
	end := afterLastLine(con, in.cursor.Offset())
	s.runs.ended(con, end)
	s.session.Shell.SkipTo(end)
	s.session.Prompted = true
	o.operator, o.guest = rep.operator.failed(), s.session.Exit()
	goOn, err := decide(&o)
	if goOn {
		return plan.NonFatal(err)
	}
	return err
}

// converse starts a run, and reads until the target has reported everything, as far as it can.
func (s *stage) converse(
	ctx context.Context, r *plan.Run, in *intake, op *operator, number int, what typed,
) (end, error) {
	defer s.session.Bind()()
	defer in.close()
	if s.session.Port != nil {
		id := token{s.session.Shell.Console().Name(), s.index, number}
		what.commands = slices.Insert(what.commands, 0, s.spec.ResultsCommand(id.String()))
		in.follow(ctx, s.session.Port, id)
	}
	defer op.serve(ctx)()
	for _, c := range what.commands {
		if err := s.session.Shell.SendLine(ctx, c); err != nil {
			return brokenEnd(ctx), err
		}
	}
	end, err := s.read(ctx, in, false)
	for try := 0; err == nil && try < manifestTries && in.incomplete(); try++ {
		// After a raise the runner is still at work: its own manifest is to come, and what is typed would be echoed into
		// what it prints.
		if end != endRaised {
			r.Logf("warning", "results are missing: the target is asked to repeat them")
			if err := s.session.Shell.SendLine(ctx, what.manifest); err != nil {
				return brokenEnd(ctx), err
			}
		}
		end, err = s.read(ctx, in, true)
	}
	return end, err
}

// read waits for the end of the output, or of a manifest only. Who looks for kernel trouble on the same console waits
// for this reader meanwhile; while commands are typed, there is none to wait for.
func (s *stage) read(ctx context.Context, in *intake, manifestOnly bool) (end, error) {
	s.session.BeginReading(in.cursor.Offset())
	defer s.session.EndReading()
	return in.wait(ctx, manifestOnly)
}
