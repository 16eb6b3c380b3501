package tap

import (
	"fmt"
	"strings"

	"github.com/gantry-ci/gantry/results"
)

func (p *Parser) top() *level {
	if len(p.levels) == 0 {
		return nil
	}
	return p.levels[len(p.levels)-1]
}

// last is the case read last, while it may still be changed.
func (p *Parser) last() *results.Case {
	if top := p.top(); top != nil && len(top.cases) > 0 {
		return &top.cases[len(top.cases)-1]
	}
	return nil
}

// announced reports whether the innermost level is the output of a program that kselftest's runner named. Such a
// program may print more than one document, and each child that it forks prints again what the program had in its
// buffer.
func (p *Parser) announced() bool {
	n := len(p.levels)
	return p.kernel && n > 1 && strings.HasPrefix(p.levels[n-2].next, "selftests: ")
}

// copied reports whether a result was read before.
func (p *Parser) copied(l *level, number int, c *results.Case) bool {
	return p.announced() && l.names[number] == c.Case+"\x00"+c.Result
}

// rise ends the levels that are deeper than indent.
func (p *Parser) rise(indent int) {
	for len(p.levels) > 1 && p.top().indent > indent {
		p.end()
	}
	if len(p.levels) == 1 && p.top().indent > indent { // what encloses this was lost
		inner := p.levels
		p.levels = append([]*level{p.fresh(indent)}, inner...)
		p.end()
	}
}

// sink begins a level at indent, unless there is one.
func (p *Parser) sink(indent int) *level {
	top := p.top()
	if top != nil && (top.indent >= indent || len(p.levels) == maxDepth) {
		return top
	}
	p.levels = append(p.levels, p.fresh(indent))
	return p.top()
}

// indented reports whether points are just indented more than their plan, as some of the kernel's are: a subtest would
// begin with a version.
func (p *Parser) indented(l *level) bool {
	return p.kernel && len(p.levels) > 1 && l.plan > 0 && l.count == 0 && len(l.children) == 0 && l.next == ""
}

func (p *Parser) fresh(indent int) *level {
	return &level{
		indent: indent, plan: -1, seen: map[int]bool{}, results: map[string]int{}, names: map[int]string{}, line: p.no,
	}
}

// add gives a level a case.
func (p *Parser) add(l *level, c results.Case) {
	if p.cases++; p.cases > maxCases {
		p.cases--
		p.dropped++
		return
	}
	l.cases = append(l.cases, c)
}

// adopt puts the cases of the subtests below their test.
func (l *level) adopt(name string) {
	for _, child := range l.children {
		l.cases = append(l.cases, below(name, child))
	}
}

// end ends the innermost level: its cases wait for the point of their test.
func (p *Parser) end() {
	top, announced := p.top(), p.announced()
	p.checkPlan(top)
	p.levels = p.levels[:len(p.levels)-1]
	p.held = false
	if len(p.levels) == 0 {
		for _, c := range top.cases {
			p.emit(c)
		}
		p.cases = 0
		p.version = false
		return
	}
	parent := p.top()
	if parent.next == "" {
		parent.next = top.name
	}
	if parent.orphans && !announced { // subtests of a test that never ended
		p.orphan(parent)
	}
	parent.children, parent.orphans = append(parent.children, top.cases...), true
	parent.hollow = p.kernel && top.subtest && top.plan < 0 && len(top.cases) == 0
}

// orphan adds a test that has subtests but no point: it is missing.
func (p *Parser) orphan(l *level) {
	set, name := split(l.next)
	if name == "" {
		name = fmt.Sprintf("test-%d", l.count+1)
	}
	c := results.Case{Case: name, Result: results.Missing, Message: "it began and did not end", LogLine: p.at()}
	under := name
	if set != "" {
		c.Set, under = &set, set+"/"+name
	}
	l.adopt(under)
	p.add(l, c)
	for l.low++; l.seen[l.low]; l.low++ { // its number is the first one without a point
	}
	if l.count++; l.count <= maxCases {
		l.seen[l.low] = true
	}
	l.children, l.orphans, l.next, l.hollow = nil, false, "", false
}

// checkPlan adds a case where the results of the level are not those of its plan.
func (p *Parser) checkPlan(l *level) {
	if l.orphans || l.next != "" {
		p.orphan(l)
	}
	switch {
	case l.plan == 0 && l.count == 0:
		p.add(l, results.Case{Case: "plan", Result: results.Skip, Message: l.why, LogLine: &l.line})
	case l.plan < 0 && !p.kernel && len(p.levels) == 1 && p.script.name == "" && (p.version || l.count > 0):
		p.add(l, results.Case{
			Case: "plan", Result: results.Missing, Message: "no plan says how many results there should be", LogLine: &l.line,
		})
	case l.plan < 0, p.counted(l):
	case l.count+l.extra > l.plan:
		result := results.Fail
		if p.kernel { // its own tools let that pass, and some of its tests do it
			result = results.Unknown
		}
		p.add(l, results.Case{
			Case: "plan", Result: result, LogLine: &l.line,
			Message: fmt.Sprintf("%d results, %d planned", l.count+l.extra, l.plan),
		})
	default:
		p.missing(l)
	}
}

// missing adds the planned points that did not come.
func (p *Parser) missing(l *level) {
	missing := l.plan - l.count
	for n := 1; missing > 0 && n <= l.plan; n++ {
		if l.seen[n] {
			continue
		}
		c := results.Case{
			Case: fmt.Sprintf("test-%d", n), Result: results.Missing,
			Message: fmt.Sprintf("planned as one of %d, not reported", l.plan), LogLine: &l.line,
		}
		if missing--; (l.bailed || l.plan-l.count-missing == maxMissing) && missing > 0 {
			c.Case = fmt.Sprintf("test-%d and %d more", n, missing)
			missing = 0
		}
		p.add(l, c)
	}
}

// finish ends the document.
func (p *Parser) finish() {
	for len(p.levels) > 0 {
		p.end()
	}
	p.held = false
}

// emit makes a case complete.
func (p *Parser) emit(c results.Case) {
	if p.script.name != "" {
		c = below(p.script.name, c)
	}
	c.Suite = p.suite
	p.out = append(p.out, c)
}

// flush returns what is complete: of the outermost level all but a case that may still get a message.
func (p *Parser) flush() []results.Case {
	if len(p.levels) == 1 {
		root := p.levels[0]
		n := len(root.cases)
		if p.held && n > 0 {
			n--
		}
		for _, c := range root.cases[:n] {
			p.emit(c)
		}
		p.cases -= n
		root.cases = append(root.cases[:0], root.cases[n:]...)
	}
	out := p.out
	p.out = nil
	return out
}
