package kernlog

import (
	"regexp"
	"strings"
)

// group is what begins with the same words.
type group struct {
	words  []string
	kind   string
	rules  []rule
	ignore *regexp.Regexp // such a message is none of it
	// generic: a message that no rule knows is still a finding, titled by its own text, if the kernel wrote it.
	generic bool
	begins  bool // a word counts at the beginning of the message only
	inside  bool // it does not tell two reports apart: other reports contain it
	effect  effect
	fatal   bool
	lines   int // messages after which a panic adds nothing; 0 is the usual number
}

// effect says what earlier report a group is the consequence of.
type effect int

const (
	ownEvent   effect = iota
	afterAny          // an oops right after any report of the same context
	afterPanic        // a panic: that of an earlier report, if it says so or comes right after it
	afterStall        // one stall is seen by several watchdogs
)

// rule titles one shape of report.
type rule struct {
	kind      string // "" is the group's
	head      *regexp.Regexp
	then      []*regexp.Regexp // on later lines, in this order
	title     string           // $1, $2, … are what head and then captured, $F the function
	walks     [][]step         // ways to find the function, the first that finds one counts
	skip      *regexp.Regexp   // functions that say nothing here, besides meaningless
	pick      func(stack []string) string
	fatal     bool // so is what the group says
	emulation bool
	drop      bool // on a closer look it is no kernel trouble
	printk    bool // the words are too common: they count with printk's prefix only, where it has one
	inside    bool // it is a part of the report of the same context right before it, if there is one
}

// step is a part of a way: a line to look for, whose captures are frames, or (nil) the frames up to the next stack.
type step struct{ line *regexp.Regexp }

// expand compiles a pattern with %F for a function, %P for a program counter, %S for a source line, %T for a task.
func expand(pattern string) *regexp.Regexp {
	return regexp.MustCompile(strings.NewReplacer(
		"%F", `([A-Za-z0-9_]+)[.+]`,
		"%P", `\[<?(?:0x)?[0-9a-f]+>?\]`,
		"%S", `([A-Za-z0-9_/.-]+\.[a-z]+:\d+)`,
		"%T", `.{1,40}:\d+`,
	).Replace(pattern))
}

func expandAll(patterns ...string) []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, p := range patterns {
		all = append(all, expand(p))
	}
	return all
}

// heading is a recognized first message.
type heading struct {
	group  *group
	at     int // of the group's word in the message
	fatal  bool
	effect effect
}

// enough is how many messages make a report complete without the panic after it.
func (g *group) enough() int {
	const usual = 22
	if g.lines > 0 {
		return g.lines
	}
	return usual
}

// headLength is how much of a message a rule's head looks at.
const headLength = 512

// driverRE is what dev_printk puts before its text: driver and device.
var driverRE = regexp.MustCompile(`^[\w-]+ [\w.:-]+: $`)

// recognize tells whether the message begins a report, and of which group.
// stamping tells that this console's kernel prints time stamps.
// quote tells that it only talks about one.
func (t *tables) recognize(l line, found uint64, stamping bool) (h *heading, quote bool) {
	text := string(l.text)
	for i := range t.groups {
		g := &t.groups[i]
		if found&(1<<i) == 0 || g.ignore != nil && g.ignore.MatchString(text) {
			continue
		}
		for _, w := range g.words {
			at := strings.Index(text, w)
			if at < 0 || g.begins && strings.TrimLeft(text[:at], " \t*>") != "" {
				continue
			}
			if quoted(l, text[:at], stamping) {
				quote = true
				continue
			}
			h := &heading{group: g, at: at, fatal: g.fatal, effect: g.effect}
			if u := g.known(text[at:min(len(text), at+headLength)]); u != nil {
				if u.printk && stamping && l.context == "" {
					continue
				}
				if u.inside {
					h.effect = afterAny
				}
				if u.fatal && !g.fatal {
					h.fatal, h.effect = true, afterAny
				}
				return h, false
			}
			if g.generic && kernels(l, text[:at]) {
				return h, false
			}
		}
	}
	return nil, quote
}

// known is the first rule whose head matches.
func (g *group) known(text string) *rule {
	for i := range g.rules {
		if g.rules[i].head.MatchString(text) {
			return &g.rules[i]
		}
	}
	return nil
}

// kernels tells whether the kernel wrote a message no rule knows, and as a report, by what stands before its first
// word.
func kernels(l line, before string) bool {
	before = strings.TrimLeft(before, " \t")
	return l.context != "" && before == "" || driverRE.MatchString(before)
}

// consequences are the panics that always have a cause told before them.
var consequences = regexp.MustCompile(`not syncing: (?:panic_on|Fatal exception|hung_task|softlockup|[Hh]ard LOCKUP|RCU Stall|` +
	`(?:KASAN|KFENCE|KCSAN|KMSAN|UBSAN|kmsan|kasan)\b|Oops|Aiee|Attempted to kill|Machine halted|kernel: panic_on|sysrq|` +
	`Fatal hardware|Tried to kill|Watchdog)`)

// Lines of the console within which two messages are one event.
const (
	near      = 60
	nearStall = 400
)

// follows tells whether the report r caused what the heading begins.
func (h *heading) follows(r *report, l line) bool {
	distance := l.number - r.last
	same := l.context == r.head.context
	switch h.effect {
	case afterAny:
		return same && distance <= near
	case afterPanic:
		return consequences.Match(l.text) || same && distance <= near
	case afterStall:
		return l.number-r.head.number <= nearStall && r.heading != nil && r.heading.effect == afterStall
	default:
		return same && distance <= near && strings.Contains(string(l.text), "locking dependency detected")
	}
}
