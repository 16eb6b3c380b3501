package signal

import (
	"bytes"
	"time"

	"github.com/gantry-ci/gantry/internal/terminal"
	"github.com/gantry-ci/gantry/results"
)

// Limits of what hostile output can make a parser hold. What goes beyond makes the summary Truncated, and so the
// results incomplete.
const (
	DefaultMaxCases = 100_000
	maxLine         = 16 << 10 // bytes; a longer line is read in pieces
	maxWindow       = 8 << 10  // bytes that may lie between a signal's start and its trailer
	maxPieces       = 24       // lines that may lie there
	maxName         = 1024     // bytes of a name
	maxGaps         = 1000     // gaps reported one by one, and doubtful signals
	recordsPerCase  = 5        // STARTTC, ENDTC, TESTCASE, a share of sets, and air
)

// Options say what is to be expected.
type Options struct {
	// Definitions are those of the stage, in order. A definition that never starts is reported missing.
	Definitions []Definition
	// Sequenced says that the target runs our helpers: without a manifest, results are missing.
	Sequenced bool
	// Line is the number, from 1, of the console's line that the first byte fed is on; 0 is 1.
	Line int
	// Since is the first line on which this run may have printed; what comes before it was printed between two runs, and
	// only numbered signals in it count. 0 is Line.
	Since int
	// Run is the run's number in the target, which its records carry: those of other runs are never taken for its own.
	Run int
	// History is what is known of the runs before; the parser adds its own. nil is none.
	History *History
	// MaxCases bounds how many cases are taken; 0 is DefaultMaxCases.
	MaxCases int
}

// Item is one thing that the output says. Exactly one of its pointers is set, or one of the strings is not empty.
type Item struct {
	Line int // 1-based line of the console where it was seen; 0 when it came by the results device
	Seq  int // the record's number; 0 for what has none
	Late int // the number of the run before that a late record is of; 0 for one of this run

	StartRun  *Run
	EndRun    *RunEnd
	StartCase string
	EndCase   string
	Case      *results.Case // also those of the suite lava, one for each run, and those that are missing
	StartSet  string
	EndSet    string
	Raise     string // lava-test-raise: the job's test is over
	Feedback  string // the namespace to read from for a while
	Event     string
	Request   *Request // the target waits for an answer on its console

	InstallFail bool
	Manifest    bool // the manifest's last line: Parser.Incomplete reports whether to ask for it again
	Exit        bool // the runner of the stage has ended: nothing but a manifest that is asked for comes after it
}

// Run is the start of a test definition.
type Run struct{ Name, UUID string }

// RunEnd is its end. Early is a run that did not come to its last step; Status is what it exited with, or 0 when
// that is unknown.
type RunEnd struct {
	Run
	Early  bool
	Status int
}

// Kinds of multinode requests.
const (
	RequestSend    = "LAVA_SEND"
	RequestSync    = "LAVA_SYNC"
	RequestWait    = "LAVA_WAIT"
	RequestWaitAll = "LAVA_WAIT_ALL"
)

// Request is a multinode call: <LAVA_MULTI_NODE> <LAVA_SEND id k=v …>.
type Request struct {
	Kind string
	Args []string
}

// Parser reads the output of one stage. It is not for concurrent use.
type Parser struct {
	split  *splitter
	window *window
	device *splitter // of the results device
	order  *sequence
	state  *state
	closed bool
	sum    Summary
}

// New makes a parser that calls emit for each item, in the order of the records.
func New(o Options, emit func(Item)) *Parser {
	if o.MaxCases <= 0 {
		o.MaxCases = DefaultMaxCases
	}
	if o.History == nil {
		o.History = &History{}
	}
	p := &Parser{}
	p.state = newState(&o, emit, &p.sum)
	p.order = newSequence(o.MaxCases*recordsPerCase, &o, p.state, &p.sum)
	p.window = newWindow(p.order, &p.sum)
	device := newWindow(p.order, &p.sum)
	device.device = true
	p.device = &splitter{emit: func(c piece) {
		c.line = 0
		device.add(c)
	}}
	p.split = &splitter{line: max(o.Line, 1), emit: func(c piece) {
		over := p.order.whole()
		p.window.add(c)
		p.state.output(c)
		if over {
			p.after(c.text, c.line)
		}
	}}
	return p
}

// after takes what comes after a whole manifest: the runner's last line, however damaged, or the shell's prompt.
// Neither must keep a run waiting for its timeout.
func (p *Parser) after(text []byte, line int) {
	if text = bytes.TrimSpace(text); len(text) > 0 && !bytes.HasPrefix([]byte(Exit), text) {
		p.order.exit(line)
	}
}

// Feed takes the console's next bytes, cut anywhere, and the time they came in, for the cases' durations.
func (p *Parser) Feed(b []byte, at time.Time) {
	if !p.closed {
		p.split.feed(b, at)
		if p.order.whole() {
			p.after(terminal.Text(p.split.buf), p.split.line)
		}
	}
}

// FeedDevice takes bytes of the results device, where the target has one: the helpers write each record there, too,
// undisturbed. What comes this way first has no line of the console.
func (p *Parser) FeedDevice(b []byte, at time.Time) {
	if !p.closed {
		p.device.feed(b, at)
	}
}

// Incomplete reports whether records are known to be missing now, or the manifest did not come whole. Asked at the
// item Exit, it says whether to have the target repeat the manifest.
func (p *Parser) Incomplete() bool { return p.order.incomplete() }

// Close ends the output: it emits what was held back, and a missing case for all that should be there and is not.
func (p *Parser) Close() Summary {
	if !p.closed {
		p.closed = true
		p.split.flush()
		p.window.flush()
		p.order.close()
		p.state.close(!p.order.strict || p.sum.Manifest)
		p.order.reportLateGaps()
		p.order.history.add(p.order)
	}
	return p.sum
}
