package cli

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gantry-ci/gantry/results"
)

// progress shows on stderr what a run does: on a terminal in one line that changes, else in a line for each action.
type progress struct {
	w        io.Writer
	terminal bool
}

func newProgress(e *env) *progress {
	p := &progress{w: e.stderr}
	if f, ok := e.stderr.(*os.File); ok {
		_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
		p.terminal = err == nil
	}
	return p
}

// event shows one event.
func (p *progress) event(ev results.Event) {
	switch {
	case ev.Step != nil && !ev.Step.End:
		p.show("%-8s %s", ev.Level, ev.Step.Name)
	case ev.Step != nil && ev.Step.Class != "":
		p.print("%-8s %s: %s: %s", ev.Level, ev.Step.Name, ev.Step.Class, ev.Step.Message)
	case ev.Log != nil && ev.Log.Level != "debug":
		p.print("%-8s %s", ev.Log.Level, ev.Log.Message)
	case ev.Finding != nil && !ev.Finding.Decoded:
		p.print("%-8s %s", "kernel", ev.Finding.Title)
	case ev.Accel != nil:
		p.print("%-8s %s: %s", "accel", ev.Accel.Used, ev.Accel.Why)
	}
}

// show prints a line that the next one replaces. A failure to print does not end the run.
func (p *progress) show(format string, a ...any) {
	if p.terminal {
		_, _ = fmt.Fprintf(p.w, "\r\x1b[K"+format, a...)
		return
	}
	p.print(format, a...)
}

// print prints a line that stays.
func (p *progress) print(format string, a ...any) {
	if p.terminal {
		_, _ = fmt.Fprint(p.w, "\r\x1b[K")
	}
	_, _ = fmt.Fprintf(p.w, format+"\n", a...)
}

// end removes a line that would be replaced.
func (p *progress) end() {
	if p.terminal {
		_, _ = fmt.Fprint(p.w, "\r\x1b[K")
	}
}
