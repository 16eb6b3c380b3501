package testshell

import (
	"bytes"

	"github.com/gantry-ci/gantry/results/signal"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/plan"
)

// runsSlot is what the runs of the stages of a namespace leave to the next ones.
var runsSlot = plan.Slot[runs]{Name: "runs of tests"} //nolint:gochecknoglobals // the name of a slot, never changed

// runs numbers the runs of stages in a target, from 1, and remembers what is known of those that are over.
type runs struct {
	last    int
	tries   map[int]int // which try of its definitions a run was, by its number
	history signal.History

	console *console.Console
	end     int64 // where in the console's record the last run ended
}

// next is the number of a run that begins now, and from where on the console is read: what came since the last run
// ended may be what a process that it left behind reported.
func (s *runs) next(con *console.Console, try int) (number int, from int64) {
	if s.last++; s.tries == nil {
		s.tries = map[int]int{}
	}
	s.tries[s.last] = try
	if from = con.Size(); s.console == con {
		from = min(from, s.end)
	}
	return s.last, from
}

// ended remembers where a run ended.
func (s *runs) ended(con *console.Console, at int64) { s.console, s.end = con, at }

// lastLines begin the last line of a run, and of a manifest that was asked for again.
func lastLines() [][]byte { return [][]byte{[]byte(signal.Exit), []byte(signal.ManifestStart)} }

// tailSize is what is searched for the last line: what one read of the console brings.
const tailSize = 64 << 10

// afterLastLine is the place in the record after a run's last line, of what was read up to end: the shell's prompt
// comes next. It is end where that line cannot be found.
func afterLastLine(c *console.Console, end int64) int64 {
	tail := make([]byte, min(end, tailSize))
	n, err := c.ReadAt(tail, end-int64(len(tail)))
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
