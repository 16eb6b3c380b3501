package testshell

import (
	"bytes"
	"fmt"
	"time"

	"github.com/gantry-ci/gantry/results/signal"
)

// copyWait is how long the console has to bring a record of which the device has brought a copy. If it delivers the
// same record by then, the console's is used, because it has a line number and stands among the output that it belongs
// to.
const copyWait = 2 * time.Second

// maxCopyLine bounds a line of the device, in bytes; a record is shorter by far.
const maxCopyLine = 16 << 10

// copies holds back what came beside the console, until the parser may have it: each record for copyWait, and the
// manifest's last line until the run's output is over. With that one the parser knows all that there is, and takes
// whatever the console still prints for the end of the run.
type copies struct {
	parser *signal.Parser
	mark   []byte // what the lines of this run begin with
	target []byte // what the lines of all runs on this console begin with

	line    []byte // that has not ended yet
	long    bool   // the rest of the line is dropped
	waiting []waitingCopy

	manifest   []byte // its last line; nil before it comes
	manifestAt time.Time
}

// waitingCopy is a record that the console may still bring.
type waitingCopy struct {
	line []byte
	at   time.Time
}

// token names a run in the copies of its records: no other run of the attempt has it. Runs are counted in each
// namespace anew, so it has the name of the console's record, too, which no two of them share.
type token struct {
	console       string // the name of its record; "" for the first
	stage, number int
}

func (t token) String() string { return fmt.Sprintf("%s%d.%d", t.prefix(), t.stage, t.number) }

// prefix is what the tokens of one console have in common. No record's name has a colon.
func (t token) prefix() string {
	if t.console == "" {
		return ""
	}
	return t.console + ":"
}

// of says whose lines are taken.
func (c *copies) of(run token) {
	c.mark, c.target = []byte("@"+run.String()+" "), []byte("@"+run.prefix())
}

// add takes the device's next bytes, cut anywhere. A test may write what it likes to the device: what counts is a line
// with this run's mark, and a record with the mark of an earlier one, whose processes may still be at work.
func (c *copies) add(b []byte, now time.Time) {
	for len(b) > 0 {
		part, rest, ended := bytes.Cut(b, []byte("\n"))
		b = rest
		if c.long = c.long || len(c.line)+len(part) > maxCopyLine; !c.long {
			c.line = append(c.line, part...)
		}
		if !ended {
			break
		}
		if !c.long {
			c.addLine(now)
		}
		c.line, c.long = c.line[:0], false
	}
}

func (c *copies) addLine(now time.Time) {
	text, ours := bytes.CutPrefix(c.line, c.mark)
	if !ours {
		mark, other, ok := bytes.Cut(c.line, []byte(" "))
		target := mark[:bytes.LastIndexAny(mark, "@:")+1]
		if !ok || !bytes.Equal(target, c.target) || !bytes.HasPrefix(other, []byte(signal.RecordStart)) {
			return
		}
		text = other // the parser knows the run by the record's number
	}
	text = append(bytes.Clone(text), '\n')
	if bytes.HasPrefix(text, []byte(signal.ManifestStart)) {
		c.manifest, c.manifestAt = text, now
		return
	}
	c.waiting = append(c.waiting, waitingCopy{text, now})
}

// due is when the oldest copy has waited long enough; zero when none waits.
func (c *copies) due() time.Time {
	if len(c.waiting) == 0 {
		return time.Time{}
	}
	return c.waiting[0].at.Add(copyWait)
}

// release gives the parser what has waited long enough.
func (c *copies) release(now time.Time) {
	for len(c.waiting) > 0 && !now.Before(c.due()) {
		c.parser.FeedDevice(c.waiting[0].line, c.waiting[0].at)
		c.waiting = c.waiting[1:]
	}
}

// releaseAll gives the parser everything, for the output is over.
func (c *copies) releaseAll(now time.Time) {
	for _, w := range c.waiting {
		c.parser.FeedDevice(w.line, w.at)
	}
	c.waiting = nil
	if c.manifest != nil {
		c.parser.FeedDevice(c.manifest, now)
		c.manifest = nil
	}
}
