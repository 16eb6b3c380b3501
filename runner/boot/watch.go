package boot

import (
	"context"
	"errors"
	"time"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/kernlog"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/plan"
)

// How long the console is read after a fatal finding before the step is ended: a stack trace needs a second on a slow
// line, and text that never ends is a reboot loop.
const (
	lateQuiet = 500 * time.Millisecond
	lateMax   = 5 * time.Second
)

// lateReport is how long a console may be silent within a report that is not fatal before the report counts as
// complete.
const lateReport = 5 * time.Second

// stuckWait is how long the test may make no progress after the report of a locked-up processor before that is fatal:
// the kernel repeats such reports about every 20 s.
const stuckWait = 30 * time.Second

// errQuiet ends a wait for more output.
var errQuiet = errors.New("no more output")

// watcher follows a console and reports what the kernel says of itself, to the end of the stream.
type watcher struct {
	r       *plan.Run
	session *flow.Session
	kernels *Kernels
	console string // its name
	own     string // its namespace
	scanner *kernlog.Scanner
	before  int              // lines of the record before this stream
	fatal   *results.Finding // the first fatal one, until it has stopped the step
	since   time.Time
	stopped bool

	stuck    *results.Finding // a processor is locked up since then
	stuckAt  time.Time
	progress int // of the test, then
}

func (o *methods) watch(
	ctx context.Context, c *console.Console, start int64, r *plan.Run, s *flow.Session, own string,
) {
	w := &watcher{r: r, session: s, kernels: o.Kernels, console: c.Name(), own: own, before: c.LineAt(start) - 1}
	w.scanner = kernlog.New(kernlog.Options{List: o.List, Found: w.found, Fatal: w.begins, During: w.during})
	cur := c.From(start)
	for {
		b, err := w.next(ctx, cur)
		if ctx.Err() != nil {
			b, err = nil, ctx.Err()
		}
		w.session.AwaitRead(ctx, cur.Offset()) // which case a finding is of is known then
		_, _ = w.scanner.Write(b)              // never fails
		w.unstick()
		if err == nil && !w.overdue() {
			continue
		}
		w.scanner.Flush()
		w.stop()
		if err != nil && !errors.Is(err, errQuiet) {
			return
		}
	}
}

// next waits for bytes, for a limited time while a report is open.
func (w *watcher) next(ctx context.Context, cur *console.Cursor) ([]byte, error) {
	limit := time.Duration(0)
	switch {
	case w.fatal != nil:
		limit = lateQuiet
	case w.scanner.Pending():
		limit = lateReport
	case w.stuck != nil:
		limit = max(time.Until(w.stuckAt.Add(stuckWait)), time.Millisecond)
	}
	if limit > 0 {
		quiet, cancel := context.WithTimeoutCause(ctx, limit, errQuiet)
		defer cancel()
		ctx = quiet
	}
	return cur.Next(ctx)
}

func (w *watcher) overdue() bool { return w.fatal != nil && time.Since(w.since) > lateMax }

// during is what was going on when a finding began, on a line of the stream.
func (w *watcher) during(line int) kernlog.During {
	suite, name := w.session.CaseAt(line + w.before)
	return kernlog.During{
		Section: section(w.own, w.r.Running(), w.session.Tested()), Suite: suite, Case: name, Bound: w.session.Bound(),
	}
}

// section is what was going on with the system of a namespace. A step of another one does not say: what breaks while
// another system boots has broken during its own tests, if it had any.
func section(namespace string, step plan.Step, tested bool) string {
	switch {
	case step.Namespace == namespace || step.Section == sectionTest:
		return step.Section
	case tested:
		return sectionTest
	}
	return sectionBoot
}

// The sections of a job in which a system runs.
const (
	sectionBoot = "boot"
	sectionTest = "test"
)

// begins is called when something fatal begins; its title may not be complete.
func (w *watcher) begins(f results.Finding) {
	if w.fatal == nil && !w.stopped {
		w.fatal, w.since = &f, time.Now()
	}
}

// found is called when a finding is complete. One that is allowed ends no step.
func (w *watcher) found(f results.Finding) {
	if w.fatal != nil && f.Line == w.fatal.Line {
		w.fatal = &f
		if !f.Fatal {
			w.fatal = nil
		}
	}
	if (f.Kind == results.KindSoftLockup || f.Kind == results.KindHardLockup) && f.Allowed == "" && w.stuck == nil {
		w.stuck, w.stuckAt, w.progress = &f, time.Now(), w.session.Progress()
	}
	out := w.record(f)
	if f.Kind == results.KindReboot { // which kernel runs now is unknown
		w.kernels.Unknown(w.console, out.Line)
	}
	w.r.Emit(results.Event{Finding: &out})
}

// record is the finding with its place in the console's record.
func (w *watcher) record(f results.Finding) results.Finding {
	f.File, f.Line, f.Namespace = results.LogOf(w.console), f.Line+w.before, w.own
	return f
}

// unstick makes a lockup fatal when the test has made no progress for stuckWait, and drops it when it has.
func (w *watcher) unstick() {
	switch {
	case w.stuck == nil:
	case w.session.Progress() != w.progress:
		w.stuck = nil
	case time.Since(w.stuckAt) >= stuckWait && w.fatal == nil && !w.stopped:
		w.fatal, w.since, w.stuck = w.stuck, time.Now(), nil
	}
}

// stop ends the step during which the fatal finding appeared. Its class depends on what was running.
func (w *watcher) stop() {
	if w.fatal == nil {
		return
	}
	f := w.record(*w.fatal)
	w.fatal, w.stopped = nil, true
	w.r.Stop(results.Failf(f.Class(), "%s", f))
}
