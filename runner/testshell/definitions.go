package testshell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/signal"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/overlay"
	"github.com/gantry-ci/gantry/runner/plan"
)

// definitions runs LAVA test definitions in the target's shell.
func definitions(b *plan.Builder, p *jobs.TestDefinitions, retries int) {
	b.Name("lava-test-retry")
	if p.Docker != nil {
		b.Errorf("docker is valid, but gantry does not execute it yet")
		return
	}
	b.Budget()
	session := plan.Require(b, flow.Shell)
	spec := *plan.Require(b, flow.TestOverlay)
	if spec == nil {
		return // refused already
	}
	index, first := flow.Stage(b, p)
	if _, err := expected(p, first, func(d *jobs.Definition) *jobs.TestDefinition { return d.Repository }); err != nil {
		b.Errorf("%w", err)
	}
	s := stage{
		session: session, spec: spec, index: index, first: first, job: p, retries: retries,
		fetched: plan.Provide(b, flow.TestSources), runs: plan.Provide(b, allRuns), group: provideGroup(b),
		namespace: p.Namespace,
	}
	if d := b.Target.Device; d != nil {
		s.login = d.ResultsSSH
	}
	b.NotRun(s.missed)
	plan.Restore(b, flow.Shell, s.interrupt)
	b.Step("lava-test-shell", results.ClassInfrastructure, s.run)
}

// exitLine is the last that a stage's runner prints.
const exitLine = "<LAVA_TEST_RUNNER EXIT>"

// allRuns is what the runs of test blocks of a target came to, each try of each.
var allRuns = plan.Slot[runs]{Name: "runs of tests"} //nolint:gochecknoglobals // the name of a slot, never changed

// runs are numbered from 1.
type runs struct {
	last    int
	tries   map[int]int // by the run's number
	history signal.History
	con     *console.Console
	end     int64 // where in its record the last run ended
}

// next is the number of a run that begins now, and from where on the console is read: what came since the last run
// ended may be what a process that it left behind reported.
func (s *runs) next(con *console.Console, try int) (run int, from int64) {
	if s.last++; s.tries == nil {
		s.tries = map[int]int{}
	}
	s.tries[s.last] = try
	if from = con.Size(); s.con == con {
		from = min(from, s.end)
	}
	return s.last, from
}

// expected is what the parser has to know of the definitions, the first of which has the number first. Source is a
// definition itself, or nil when it is not there yet.
func expected(
	p *jobs.TestDefinitions, first int, source func(*jobs.Definition) *jobs.TestDefinition,
) ([]signal.Definition, error) {
	var all []signal.Definition
	var errs []error
	for i := range p.Definitions {
		d := &p.Definitions[i]
		def := signal.Definition{Run: (&overlay.Definition{Index: first + i, Name: d.Name}).Run(), Expected: d.Expected}
		if t := source(d); t != nil {
			def.Expected = append(slices.Clip(def.Expected), t.Expected...)
			def.Fixup = t.Parse.Fixupdict
			if t.Parse.Pattern != "" {
				re, err := signal.CompilePattern(t.Parse.Pattern)
				if err != nil {
					errs = append(errs, fmt.Errorf("line %d: %w", d.Line, err))
				}
				def.Pattern = re
			}
		}
		all = append(all, def)
	}
	return all, errors.Join(errs...)
}

// stage is one test action.
type stage struct {
	session *flow.Session
	spec    *overlay.Spec
	index   int                // of the overlay's stages
	first   int                // the number of its first definition
	retries int                // how often the definitions of failed cases are run again
	login   *jobs.ResultsLogin // the way of results by ssh; nil for none
	job     *jobs.TestDefinitions
	fetched *map[*jobs.Definition]*jobs.TestDefinition

	runs      *runs
	group     *group
	namespace string
}

// source is a definition, inline or fetched.
func (s *stage) source(d *jobs.Definition) *jobs.TestDefinition {
	if d.Repository != nil {
		return d.Repository
	}
	return (*s.fetched)[d]
}

// manifestTries is how often the target is asked to repeat its results when some came in damaged.
const manifestTries = 3

// run types the commands, and reads results until the target's runner says that it has ended.
func (s *stage) run(ctx context.Context, r *plan.Run) error {
	defs, err := expected(s.job, s.first, s.source)
	if err != nil {
		return results.Blame(results.ClassJob, err)
	}
	sh := s.session.Shell
	sh.CharDelay = s.session.Delay
	s.listen(ctx, r)
	first := func(run int) typed { return typed{s.spec.Commands(s.index, run), s.spec.ManifestCommand(s.index)} }
	t := newTries()
	if err := s.once(ctx, r, sh, defs, t, first, 1); err != nil {
		return err
	}
	return s.again(ctx, r, sh, defs, t)
}

// once has definitions run, for the first time or again.
func (s *stage) once(
	ctx context.Context, r *plan.Run, sh *console.Session, defs []signal.Definition, t *tries, command func(run int) typed,
	try int,
) error {
	since := sh.Console().Size()
	run, from := s.runs.next(sh.Console(), try)
	rd := &reader{
		r: r, session: s.session, con: sh.Console(), log: s.session.Log(), cur: sh.Console().From(from), try: try, tries: t, runs: s.runs,
		edge: sh.Console().LineAt(from), formats: s.formats(),
	}
	rd.operator, rd.namespace = newOperator(r, s.group, sh), s.namespace
	rd.parser = signal.New(signal.Options{
		Definitions: defs, Sequenced: true, Line: sh.Console().LineAt(from), Since: sh.Console().LineAt(since),
		Run: run, History: &s.runs.history,
	}, rd.item)
	free := s.session.Bind()
	what, stop := rd.follow(ctx, s.session.Port, s.spec, command(run), fmt.Sprintf("%d.%d", s.index, run))
	hangUp := rd.operator.serve(ctx)
	err := rd.talk(ctx, sh, what)
	hangUp()
	stop()
	free()
	// What was lost is reported whatever ended the step, so that it never passes for complete.
	sum := rd.parser.Close()
	t.end()
	s.session.SetCase("", "")
	r.Logf("info", "results: %d cases, %d missing, %d put together again, %d only in the manifest, %d first by the results device, %d unsequenced",
		sum.Cases, sum.Missing, sum.Reassembled, sum.Recovered, sum.Device, sum.Unsequenced)
	if sum.Late > 0 {
		r.Logf(
			"warning", "results: %d of these came late, from processes that earlier test blocks or tries left behind", sum.Late,
		)
	}
	end := rd.past()
	s.runs.con, s.runs.end = sh.Console(), end
	sh.SkipTo(end)
	s.session.Prompted = true
	switch end := s.session.Exit(); {
	case err == nil && rd.operator.failed() != nil:
		err = rd.operator.failed()
	case err == nil:
		if err = sum.Err(); sum.Raise == "" && !sum.InstallFail {
			err = plan.NonFatal(sum.Lost(err)) // the stage came to its end, as LAVA has it
		}
	case end != nil && results.ClassOf(err) == results.ClassInfrastructure &&
		results.ClassOf(end) == results.ClassInfrastructure:
		err = results.Failf(results.ClassInfrastructure, "%w during the test (%w)", end, err)
	case end != nil && results.ClassOf(err) == results.ClassInfrastructure &&
		results.ClassOf(end) != results.ClassInfrastructure:
		err = results.Failf(results.ClassTest, "%v during the test", end) // the test did that, or the code under test
	}
	return sum.Lost(err)
}

// talk types the commands, and reads until the target has said all, as far as it can.
func (d *reader) talk(ctx context.Context, sh *console.Session, what typed) error {
	for _, c := range what.commands {
		if err := sh.SendLine(ctx, c); err != nil {
			return err
		}
	}
	if err := d.until(ctx); err != nil {
		return err
	}
	for range manifestTries {
		if !d.incomplete() {
			return nil
		}
		d.r.Logf("warning", "results are missing: the target is asked to repeat them")
		if err := sh.SendLine(ctx, what.manifest); err != nil {
			return err
		}
		if err := d.until(ctx); err != nil {
			return err
		}
	}
	return nil
}

// reader feeds the console to the parser.
type reader struct {
	intake
	r         *plan.Run
	session   *flow.Session
	con       *console.Console
	log       string // what results call its log
	cur       *console.Cursor
	suite     string
	try       int // of the definitions, from 1
	tries     *tries
	runs      *runs
	formats   map[string]*formatted
	edge      int // the last line of the console that something was found on
	operator  *operator
	namespace string
	again     bool // only the manifest is waited for
}

// errQuiet ends a wait for a manifest that does not come, or a console's end that is not needed.
var errQuiet = errors.New("nothing more came")

// manifestWait is how long a repeated manifest may take: at 9600 baud a hundred results are 8 s.
const manifestWait = 30 * time.Second

// until reads to the end of the stage, or of a repeated manifest.
func (d *reader) until(ctx context.Context) error {
	if d.again {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, manifestWait, errQuiet)
		defer cancel()
	}
	ctx, done := d.begin(ctx)
	defer done()
	for !d.over() {
		b, err := d.cur.Next(ctx)
		d.console(b)
		if errors.Is(err, errQuiet) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.again = true // what the device brings meanwhile reads it
	return nil
}

// lastLines begin the last line of a stage, and of a manifest that was asked for again.
func lastLines() [][]byte {
	return [][]byte{[]byte(exitLine), []byte("<GANTRY_MANIFEST ")}
}

// tailSize is what is searched for the last line: what one read of the console brings.
const tailSize = 64 << 10

// past is the place in the record after the stage's last line: the shell's prompt comes next. It is the end of what
// was read where that line cannot be found.
func (d *reader) past() int64 {
	end := d.cur.Offset()
	tail := make([]byte, min(end, tailSize))
	n, err := d.con.ReadAt(tail, end-int64(len(tail)))
	if err != nil && n < len(tail) {
		return end
	}
	at := -1
	for _, last := range lastLines() {
		at = max(at, bytes.LastIndex(tail, last))
	}
	if at < 0 {
		return end
	}
	if eol := bytes.IndexByte(tail[at:], '\n'); eol >= 0 {
		at += eol + 1
	}
	return end - int64(len(tail)-at)
}

// item takes what the parser found.
func (d *reader) item(i signal.Item) {
	d.edge = max(d.edge, i.Line)
	switch {
	case i.StartRun != nil:
		d.suite = i.StartRun.Name
		d.formats[d.suite].begin(d.edge)
		d.session.SetCase(d.suite, "")
	case i.EndRun != nil:
		d.session.SetCase("", "")
		for _, c := range d.formats[i.EndRun.Name].end(d.con, i.Line) {
			d.report(&c, d.try)
		}
	case i.StartCase != "":
		d.session.SetCase(d.suite, i.StartCase)
	case i.EndCase != "":
		d.session.SetCase(d.suite, "")
	case i.Case != nil:
		try := d.try
		if i.Late > 0 {
			try = d.runs.tries[i.Late]
		}
		d.report(i.Case, try)
	case i.Request != nil:
		d.operator.call(i.Request)
	case i.Feedback != "":
		d.operator.feedback(i.Feedback, d.namespace)
	case i.Event != "":
		d.r.Logf("info", "event: %s", i.Event)
	case i.Raise != "":
		d.r.Logf("error", "the test raised: %s", i.Raise)
		d.ended = true
	case i.Exit, i.Manifest && d.again:
		d.ended = true
	}
}

func (d *reader) report(c *results.Case, try int) {
	if try > 1 {
		c.Try = try
	}
	if c.LogLine != nil {
		c.Log = d.log
	}
	d.r.Emit(results.Event{Case: c})
	d.tries.take(c)
}
