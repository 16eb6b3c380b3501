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
	c := results.Case{LogLine: p.at()}
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
	p.setResult(&c, l)
	if top.seen[number] && p.copied(top, number, &c) {
		return
	}
	top.results[c.Result]++
	switch {
	case top.seen[number]:
		top.extra++
		c.Note = strings.TrimSpace(c.Note + " number " + fmt.Sprint(number) + " again")
	case top.count < maxCases:
		top.seen[number] = true
		if p.announced() {
			top.names[number] = c.Case + "\x00" + c.Result
		}
		top.count++
	default:
		top.count++
	}
	under := name
	if set != "" {
		under = set + "/" + name
	}
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
