package tap

import (
	"fmt"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/testlog/logline"
)

// Limits: a console is hostile.
const (
	maxLine    = 64 << 10 // longer lines are none of the protocol's
	maxCases   = 100_000  // more results are counted only
	maxDepth   = 32       // deeper subtests count as of this depth
	maxMissing = 100      // more missing ones of a plan are one case
)

// Parser reads one stream of lines.
type Parser struct {
	suite   string
	kernel  bool
	levels  []*level
	out     []jobs.Case
	held    bool // the last case of the innermost level may still get a message
	about   []string
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
	plan     int  // -1: none yet
	why      string
	seen     map[int]bool
	low      int // a number up to which all were seen
	count    int
	extra    int // results without a number, or with one for the second time
	name     string
	next     string // name of the test whose subtests or output follow
	cases    []jobs.Case
	children []jobs.Case // of the subtests that ended, until their test's point comes
	orphans  bool        // there were some
	line     int
}

// New reads TAP; its cases are of the suite.
func New(suite string) *Parser { return &Parser{suite: suite} }

// NewKernel reads KTAP, KUnit's and kselftest's output.
func NewKernel(suite string) *Parser { return &Parser{suite: suite, kernel: true} }

// Line reads a line, whose 1-based number is no, and returns the cases that are complete by it.
func (p *Parser) Line(raw []byte, no int) []jobs.Case {
	p.no = no
	if len(raw) <= maxLine {
		p.read(strings.TrimRight(string(raw), "\r\n"))
	}
	return p.flush()
}

// Close returns the remaining cases, the missing ones included.
func (p *Parser) Close() []jobs.Case {
	p.finish()
	if p.dropped > 0 {
		p.emit(jobs.Case{Case: "results over the limit", Result: jobs.Missing, Message: fmt.Sprintf("%d results after the first %d", p.dropped, maxCases)})
		p.dropped = 0
	}
	out := p.out
	p.out = nil
	return out
}

func (p *Parser) read(s string) {
	if p.yaml.on {
		if p.yaml.line(s, p.last()) {
			return
		}
		p.yaml.on = false
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
		p.finish()
		p.emit(jobs.Case{Case: "bail-out", Result: jobs.Fail, Message: l.text, LogLine: p.at()})
		p.ended = true
	case other:
		if !p.kernel && strings.TrimSpace(s) == "---" && p.held {
			p.yaml.begin(l.indent)
		}
	}
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
		if top.headed && (top.count > 0 || top.plan >= 0) {
			p.end()
		}
	}
	p.sink(l.indent).headed = true
}

func (p *Parser) plan(l line) {
	p.rise(l.indent)
	if top := p.top(); top != nil && top.indent == l.indent && top.plan >= 0 {
		if top.count == 0 && top.plan == l.number {
			return
		}
		p.end()
	}
	top := p.sink(l.indent)
	top.headed, top.plan, top.line = true, l.number, p.no
	if l.number == 0 {
		top.why = l.text
	}
}

func (p *Parser) comment(l line) {
	if name, ok := strings.CutPrefix(l.text, "Subtest: "); ok {
		p.rise(l.indent)
		top := p.top()
		switch {
		case top == nil || l.indent > top.indent:
			top = p.sink(l.indent)
			top.headed, top.name = true, logline.Clip(name)
		case p.kernel: // KUnit names a test below its version
			top.name = logline.Clip(name)
		default:
			top.next = logline.Clip(name)
		}
		return
	}
	if p.kernel && strings.HasPrefix(l.text, "selftests: ") {
		if top := p.top(); top != nil {
			p.rise(l.indent)
			p.top().next = logline.Clip(l.text)
		}
		p.about = p.about[:0]
		return
	}
	p.note(l.text)
}

// note keeps a diagnostic: TAP's follow the point they are about, the kernel's come before it.
func (p *Parser) note(text string) {
	if p.kernel {
		if text = strings.TrimLeft(text, "# "); text != "" && len(p.about) < 8 {
			p.about = append(p.about, logline.Clip(text))
		}
		return
	}
	if c := p.last(); p.held && c != nil && c.Result == jobs.Fail && len(c.Message)+len(text) < logline.ClipAt {
		c.Message = strings.TrimSpace(c.Message + "\n" + logline.Clip(text))
	}
}

func (p *Parser) point(l line) {
	if l.number == 0 && len(p.levels) == 0 {
		return // "ok then": nothing says that this is the protocol
	}
	p.rise(l.indent)
	if top := p.top(); top != nil && l.indent > top.indent && p.indented(top) {
		top.indent = l.indent
	}
	top := p.sink(l.indent)
	c := jobs.Case{LogLine: p.at()}
	set, name := split(l.name)
	if name == "" && top.next != "" && len(top.children) > 0 {
		set, name = split(top.next)
	}
	number := l.number
	if number == 0 {
		number = top.count + 1
	}
	if name == "" {
		name = fmt.Sprintf("test-%d", number)
	}
	c.Case = name
	if set != "" {
		c.Set = &set
	}
	p.judge(&c, l)
	switch {
	case top.seen[number]:
		top.extra++
		c.Note = strings.TrimSpace(c.Note + " number " + fmt.Sprint(number) + " again")
	case top.count < maxCases:
		top.seen[number] = true
		top.count++
	default:
		top.count++
	}
	under := name
	if set != "" {
		under = set + "/" + name
	}
	top.adopt(under)
	p.add(top, c)
	top.children, top.orphans, top.next = nil, false, ""
	p.held, p.about = !p.kernel, p.about[:0]
}

// judge gives the case its result.
func (p *Parser) judge(c *jobs.Case, l line) {
	c.Result, c.Message = jobs.Fail, l.text
	if l.ok {
		c.Result = jobs.Pass
	}
	switch l.directive {
	case "SKIP":
		c.Result = jobs.Skip
	case "TODO", "XFAIL":
		c.Note = strings.ToLower(l.directive)
		if c.Result == jobs.Fail {
			c.Result = jobs.Skip
		}
	case "TIMEOUT":
		c.Result, c.Message = jobs.Fail, strings.TrimSpace("timed out: "+l.text)
	case "ERROR":
		c.Result = jobs.Fail
	case "TIME":
		c.Message = ""
		if d, err := time.ParseDuration(l.text); err == nil && d >= 0 {
			s := d.Seconds()
			c.DurationS = &s
		}
	}
	if c.Result == jobs.Fail && len(p.about) > 0 {
		c.Message = strings.TrimSpace(c.Message + "\n" + strings.Join(p.about, "\n"))
	}
}

// split gives kselftest's names their set.
func split(name string) (set, test string) {
	rest, ok := strings.CutPrefix(name, "selftests: ")
	if !ok {
		return "", name
	}
	set, test, ok = strings.Cut(rest, ": ")
	if !ok {
		return "", rest
	}
	return set, test
}

// below puts a case below a test.
func below(name string, c jobs.Case) jobs.Case {
	if c.Set != nil {
		name += "/" + *c.Set
	}
	if len(name) > logline.ClipAt {
		name = name[:logline.ClipAt]
	}
	name = strings.ToValidUTF8(name, "")
	c.Set = &name
	return c
}
