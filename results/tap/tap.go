package tap

import (
	"fmt"
	"strings"

	"github.com/gantry-ci/gantry/internal/printk"
	"github.com/gantry-ci/gantry/results"
)

// Limits: a console is hostile.
const (
	maxLine    = 64 << 10 // longer lines are not of the protocol
	maxCases   = 100_000  // more results are counted only
	maxDepth   = 32       // deeper subtests count as of this depth
	maxMissing = 100      // more missing ones of a plan are one case
	maxAbout   = 8        // diagnostics of one of the kernel's results
)

// Parser reads one stream of lines.
type Parser struct {
	suite   string
	kernel  bool
	levels  []*level
	out     []results.Case
	held    bool // the last case of the innermost level may still get a message
	about   []string
	failing bool // the last of about is the detail of a failure
	cut     cut
	script  script
	proving bool // prove has begun and not printed its result
	yaml    yaml
	version bool // of the document
	ended   bool // by a bail-out: until a version line
	cases   int
	dropped int
	no      int
}

// level is a test and its subtests, so far as they are known.
type level struct {
	indent   int
	headed   bool // it began with a version, a plan or a subtest's name
	subtest  bool // it has a subtest's name
	hollow   bool // the subtest before it held nothing, not even a plan
	plan     int  // -1: none yet
	why      string
	results  map[string]int
	totals   totals
	again    bool // its program has begun to print anew
	bailed   bool
	names    map[int]string // of the results, by number, of a program of kselftest
	seen     map[int]bool
	low      int // a number up to which all were seen
	count    int
	extra    int // results without a number, or with one for the second time
	name     string
	next     string // name of the test whose subtests or output follow
	cases    []results.Case
	children []results.Case // of the subtests that ended, until their test's point comes
	orphans  bool           // there were some
	line     int
}

// New reads TAP; its cases are of the suite.
func New(suite string) *Parser { return &Parser{suite: suite} }

// NewKernel reads KTAP, KUnit's and kselftest's output.
func NewKernel(suite string) *Parser { return &Parser{suite: suite, kernel: true} }

// Line reads a line, whose 1-based number is no, and returns the cases that are complete by it.
func (p *Parser) Line(raw []byte, no int) []results.Case {
	if len(raw) <= maxLine {
		p.join(strings.TrimRight(string(raw), "\r\n"), no)
	}
	return p.flush()
}

// Close returns the remaining cases, the missing ones included.
func (p *Parser) Close() []results.Case {
	p.release()
	within := p.yaml.on && p.version
	p.yaml.on = false
	p.proved()
	if within {
		p.emit(results.Case{
			Case: "rest of the results", Result: results.Missing, Message: "the output ends within a diagnostic",
			LogLine: p.at(),
		})
	}
	if p.dropped > 0 {
		p.emit(results.Case{
			Case: "results over the limit", Result: results.Missing,
			Message: fmt.Sprintf("%d results after the first %d", p.dropped, maxCases),
		})
		p.dropped = 0
	}
	out := p.out
	p.out = nil
	return out
}

func (p *Parser) read(s string, no int) {
	p.no = no
	if p.yaml.on {
		if printk.Stamped(s) {
			return
		}
		if p.yaml.line(s, p.last()) {
			return
		}
		p.yaml.on = false
	}
	if !p.kernel && p.prove(s) {
		p.ended, p.held = false, false
		return
	}
	l := p.parse(s)
	if l.kind == version {
		p.ended = false
	}
	if p.ended {
		return
	}
	switch l.kind {
	case version:
		p.head(l)
		p.version = p.version || len(p.levels) == 1
	case plan:
		p.plan(l)
	case point:
		p.point(l)
	case comment:
		p.comment(l)
	case bail:
		p.bail(l)
	case other:
		switch {
		case p.kernel:
			p.detail(s, l.indent)
		case p.held && strings.TrimSpace(s) == "---":
			p.yaml.begin(l.indent)
		}
	}
}

// bail ends the document; of the kernel's output it ends the program that bails out.
func (p *Parser) bail(l line) {
	c := results.Case{Case: "bail-out", Result: results.Fail, Message: l.text, LogLine: p.at()}
	p.rise(l.indent)
	if top := p.top(); top != nil && top.indent == l.indent && p.announced() {
		top.bailed = true
		p.add(top, c)
		return
	}
	p.finish()
	p.emit(c)
	p.ended = true
}

// at is the line being read, as a case has it.
func (p *Parser) at() *int {
	no := p.no
	return &no
}

// head begins a document, at the line's depth.
func (p *Parser) head(l line) {
	p.held = false
	p.rise(l.indent)
	if top := p.top(); top != nil && top.indent == l.indent {
		switch {
		case !top.headed || top.count == 0 && top.plan < 0:
		case p.announced():
			top.again = true
		default:
			p.end()
		}
	}
	p.sink(l.indent).headed = true
}

func (p *Parser) plan(l line) {
	p.rise(l.indent)
	if top := p.top(); top != nil && top.indent == l.indent && top.plan >= 0 {
		if top.plan == l.number && (top.count == 0 || p.announced()) {
			top.again = false
			return
		}
		p.end()
	}
	top := p.sink(l.indent)
	top.headed, top.plan, top.line = true, l.number, p.no
	p.held = false // what follows the last result's plan is about all of them
	if l.number == 0 {
		top.why = l.text
	}
}
