package tap

import (
	"fmt"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/internal/plaintext"
	"github.com/gantry-ci/gantry/results"
)

// point adds the case of a test point.
func (p *Parser) point(l line) {
	if l.number == 0 && len(p.levels) == 0 && !l.dash {
		return // "ok then": nothing says that this is the protocol
	}
	p.rise(l.indent)
	if top := p.top(); top != nil && l.indent > top.indent && p.indented(top) {
		top.indent = l.indent
	}
	top := p.sink(l.indent)
	number := l.number
	if number == 0 {
		number = top.count + 1
	}
	c := results.Case{LogLine: p.at()}
	under := top.setName(&c, l, number)
	p.setResult(&c, l)
	if top.seen[number] && p.copied(top, number, &c) {
		return
	}
	p.count(top, number, &c)
	top.adopt(under)
	if top.hollow && c.Result == results.Pass {
		p.add(top, results.Case{
			Set: &under, Case: "plan", Result: results.Missing, Message: "it has no results", LogLine: p.at(),
		})
	}
	p.add(top, c)
	top.children, top.orphans, top.next, top.hollow = nil, false, "", false
	p.held, p.about = !p.kernel, p.about[:0]
}

// setName gives the case of a point its set and its name, and returns what the cases below it are under.
func (l *level) setName(c *results.Case, point line, number int) (under string) {
	set, name := split(point.name)
	if name == "" && l.next != "" && len(l.children) > 0 {
		set, name = split(l.next)
	}
	if name == "" {
		name = fmt.Sprintf("test-%d", number)
	}
	c.Case = name
	if set == "" {
		return name
	}
	c.Set = &set
	return set + "/" + name
}

// count counts a point of a level by its result and its number.
func (p *Parser) count(top *level, number int, c *results.Case) {
	top.results[c.Result]++
	if top.seen[number] {
		top.extra++
		c.Note = strings.TrimSpace(c.Note + " number " + fmt.Sprint(number) + " again")
		return
	}
	if top.count < maxCases {
		top.seen[number] = true
		if p.announced() {
			top.names[number] = c.Case + "\x00" + c.Result
		}
	}
	top.count++
}

// setResult gives the case its result, by the point and its directive.
func (p *Parser) setResult(c *results.Case, l line) {
	c.Result, c.Message = results.Fail, l.text
	if l.ok {
		c.Result = results.Pass
	}
	switch l.directive {
	case "SKIP":
		c.Result = results.Skip
	case "TODO", "XFAIL":
		c.Note = strings.ToLower(l.directive)
		if c.Result == results.Fail {
			c.Result = results.Skip
		}
	case "TIMEOUT":
		c.Result, c.Message = results.Fail, strings.TrimSpace("timed out: "+l.text)
	case "ERROR":
		c.Result = results.Fail
	case "TIME":
		c.Message = ""
		if d, err := time.ParseDuration(l.text); err == nil && d >= 0 {
			s := float64(d) / float64(time.Second)
			c.DurationS = &s
		}
	}
	if c.Result == results.Fail && len(p.about) > 0 {
		c.Message = strings.TrimSpace(c.Message + "\n" + strings.Join(p.about, "\n"))
	}
}

// split splits a name of kselftest's into set and test.
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

// below moves a case into the set of a test.
func below(name string, c results.Case) results.Case {
	if c.Set != nil {
		name += "/" + *c.Set
	}
	name = plaintext.Head(name, results.MaxName)
	c.Set = &name
	return c
}
