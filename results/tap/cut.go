package tap

import (
	"regexp"

	"github.com/gantry-ci/gantry/internal/printk"
)

// cut is a line into which the kernel printed, as "ok 3 mq_open[   12.345678] random: crng init done". Its rest is on a
// line of its own, after all that the kernel printed meanwhile.
type cut struct {
	head  string // of the line
	whole string // as it came
	no    int    // 0: there is none
}

// glued is the result of kselftest's runner behind the last line of a program that did not end it.
var glued = regexp.MustCompile(`.(?:not )?ok \d+ selftests: `)

// join reads a line, or keeps it until its rest is there.
func (p *Parser) join(s string, no int) {
	if p.kernel && len(s) > 0 && s[0] == '#' {
		if at := glued.FindStringIndex(s); at != nil {
			p.join(s[:at[0]+1], no)
			s = s[at[0]+1:]
		}
	}
	head, again := printk.Interrupted(s)
	if p.cut.no > 0 {
		switch {
		case printk.Stamped(s):
			p.read(s, no)
			return
		case p.structural(head) || comments(head) || !p.structural(p.cut.head+head) || len(p.cut.head)+len(head) > maxLine:
			p.release() // the stamp was part of the line
		case again:
			p.cut.head += head
			return
		default:
			s, no = p.cut.head+head, p.cut.no
			p.cut = cut{}
			p.read(s, no)
			return
		}
	}
	if again && !p.yaml.on {
		p.cut = cut{head: head, whole: s, no: no}
		return
	}
	p.read(s, no)
}

// directive begins the rest of a result, which else would be a comment.
var directive = regexp.MustCompile(`^# ?(?i:SKIP|TODO|XFAIL|TIMEOUT|ERROR|exit=|time=)`)

// comments reports whether a line is a comment by itself.
func comments(s string) bool { return s != "" && s[0] == '#' && !directive.MatchString(s) }

// structural reports whether a line is more than a comment.
func (p *Parser) structural(s string) bool {
	switch p.parse(s).kind {
	case version, plan, point, bail:
		return true
	case other, comment:
	}
	return false
}

// release reads a kept line as it came.
func (p *Parser) release() {
	if c := p.cut; c.no > 0 {
		p.cut = cut{}
		p.read(c.whole, c.no)
	}
}
