package boot

import (
	"context"
	"errors"
	"time"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/kernlog"
	"github.com/gantry-ci/gantry/runner/plan"
)

// How long the console is listened to after something fatal, before the step ends: a stack trace takes a second on a
// slow line, and one that goes on for ever is a reboot loop.
const (
	lateQuiet = 500 * time.Millisecond
	lateMax   = 5 * time.Second
)

// errLate ends the wait for late output.
var errLate = errors.New("no more output after something fatal")

// watcher follows a console and reports what the kernel says of itself, to the end of the stream.
type watcher struct {
	r       *plan.Run
	before  int              // lines of the record before this stream
	fatal   *kernlog.Finding // the first fatal one
	section string           // that was running when it fell
	since   time.Time
	stopped bool
}

func watch(ctx context.Context, c *console.Console, start int64, r *plan.Run) {
	w := &watcher{r: r, before: c.LineAt(start) - 1}
	scanner := kernlog.New(kernlog.Options{Found: w.found, Fatal: w.begins})
	cur := c.From(start)
	for {
		b, err := w.next(ctx, cur)
		_, _ = scanner.Write(b) // never fails
		if errors.Is(err, errLate) || w.overdue() {
			scanner.Flush()
			w.stop()
		} else if err != nil {
			scanner.Flush()
			w.stop()
			return
		}
	}
}

// next waits for bytes; while something fatal is pending, not for long.
func (w *watcher) next(ctx context.Context, cur *console.Cursor) ([]byte, error) {
	if w.fatal != nil && !w.stopped {
		quiet, cancel := context.WithTimeoutCause(ctx, lateQuiet, errLate)
		defer cancel()
		ctx = quiet
	}
	return cur.Next(ctx)
}

func (w *watcher) overdue() bool {
	return w.fatal != nil && !w.stopped && time.Since(w.since) > lateMax
}

// begins is called when something fatal begins; its title may not be complete.
func (w *watcher) begins(f kernlog.Finding) {
	if w.fatal == nil {
		w.fatal, w.section, w.since = &f, w.r.Section(), time.Now()
	}
}

// found is called when a finding is complete.
func (w *watcher) found(f kernlog.Finding) {
	if w.fatal != nil && f.Line == w.fatal.Line {
		w.fatal = &f
	}
	out := f.Jobs()
	out.Line += w.before
	out.Section = w.r.Section()
	out.Suite, out.Case = w.r.Case()
	w.r.Emit(jobs.Event{Finding: &out})
}

// stop ends the step that the fatal finding fell into. Whose fault it is depends on what was going on.
func (w *watcher) stop() {
	if w.fatal == nil || w.stopped {
		return
	}
	w.stopped = true
	class := jobs.ClassJob
	switch {
	case w.fatal.Emulation:
		class = jobs.ClassInfrastructure
	case w.section == "test":
		class = jobs.ClassTest
	}
	w.r.Stop(jobs.Failf(class, "%s (console.log:%d)", w.fatal.Title, w.fatal.Line+w.before))
}
