package tap

import (
	"strings"

	"github.com/gantry-ci/gantry/internal/printk"
	"github.com/gantry-ci/gantry/results"
)

func (p *Parser) comment(l line) {
	if name, ok := strings.CutPrefix(l.text, "Subtest: "); ok {
		p.rise(l.indent)
		top := p.top()
		switch {
		case top == nil || l.indent > top.indent:
			top = p.sink(l.indent)
			top.headed, top.subtest, top.name = true, true, results.Line(name)
		case p.kernel: // KUnit names a test below its version
			top.subtest, top.name = true, results.Line(name)
		default:
			top.next = results.Line(name)
		}
		return
	}
	if p.kernel && strings.HasPrefix(l.text, "selftests: ") {
		if p.top() != nil {
			p.rise(l.indent)
			if top := p.top(); top.orphans || top.next != "" { // the result of the program before it was lost
				p.orphan(top)
			}
			p.top().next = results.Line(l.text)
		}
		p.about = p.about[:0]
		return
	}
	if !p.kernel || !p.total(l) {
		p.diagnostic(l.text)
	}
}

// detail keeps what KUnit prints below "# test: EXPECTATION FAILED at file.c:7" without a hash.
func (p *Parser) detail(s string, indent int) {
	if n := len(p.about); n > 0 && n < maxAbout && indent > 0 &&
		(p.failing || strings.Contains(p.about[n-1], "FAILED at ")) {
		if text := results.Line(printk.Trim(s)); text != "" {
			p.about, p.failing = append(p.about, text), true
			return
		}
	}
	p.failing = false
}

// diagnostic keeps a comment for a message: TAP's comments follow the point they are about, the kernel's come before
// it.
func (p *Parser) diagnostic(text string) {
	if p.kernel {
		if text = strings.Trim(text, "# "); text != "" && len(p.about) < maxAbout {
			p.about = append(p.about, results.Line(text))
		}
		return
	}
	if c := p.last(); p.held && c != nil && c.Result == results.Fail && len(c.Message)+len(text) < results.MaxName {
		c.Message = strings.TrimSpace(c.Message + "\n" + results.Line(text))
	}
}
