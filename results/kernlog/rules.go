package kernlog

import (
	"cmp"
	"regexp"
	"strings"
)

// group is the reports that begin with the same words.
type group struct {
	words  []string
	kind   string
	rules  []rule
	ignore *regexp.Regexp // messages that have a word and begin no report
	// generic: a message that fits no rule is still a finding, titled by its own text, if the kernel wrote it.
	generic bool
	begins  bool // a word counts at the beginning of a message only
	inside  bool // other reports contain such a message, so it does not end them
	effect  effect
	fatal   bool
	lines   int // messages after which a panic adds nothing to the title; 0 for usualLines
}

// effect says which earlier report a group may be the consequence of.
type effect int

const (
	ownEvent   effect = iota
	afterAny          // an oops right after any report of the same context
	afterPanic        // a panic: of an earlier report, if its text says so or it comes right after it
	afterStall        // several watchdogs report one stall
)

// rule makes the title of one form of report.
type rule struct {
	kind      string // "" is the group's
	head      *regexp.Regexp
	then      []*regexp.Regexp            // found on later lines, in this order
	title     string                      // $1, $2, … are what head and then capture, $F is the function
	walks     [][]step                    // how to find the function; the first walk that finds one counts
	skip      *regexp.Regexp              // functions to skip, besides irrelevant
	pick      func(stack []string) string // which function of the stack; nil for pickFirst
	fatal     bool                        // or the group is
	emulation bool
	drop      bool // it is no kernel trouble
	printk    bool // the words are too common: they count behind printk's prefix only, if the kernel prints one
	inside    bool // it belongs to the report of the same context right before it, if there is one
}

// step is a part of a walk: a line to find, whose captures are frames, or with nil the frames up to the next stack.
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

// usualLines is how many messages of a report make its title, so that a panic after them adds nothing.
const usualLines = 22

func (g *group) titleLines() int { return cmp.Or(g.lines, usualLines) }

// headLength is how much of a message a rule's head is matched with, in bytes.
const headLength = 512

// driverRE is what dev_printk puts before its text: driver and device.
var driverRE = regexp.MustCompile(`^[\w-]+ [\w.:-]+: $`)

// recognize returns the heading if the message begins a report. quote says that the message only mentions one.
// stamping says that the kernel on this console prints time stamps.
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
			if mentions(l, text[:at], stamping) {
				quote = true
				continue
			}
			h := &heading{group: g, at: at, fatal: g.fatal, effect: g.effect}
			if u := g.match(text[at:min(len(text), at+headLength)]); u != nil {
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
			if g.generic && kernelOwn(l, text[:at]) {
				return h, false
			}
		}
	}
	return nil, quote
}

// match is the first rule whose head matches.
func (g *group) match(text string) *rule {
	for i := range g.rules {
		if g.rules[i].head.MatchString(text) {
			return &g.rules[i]
		}
	}
	return nil
}

// kernelOwn reports whether the kernel wrote a message that fits no rule, and as a report of its own. What stands
// before the group's word decides.
func kernelOwn(l line, before string) bool {
	before = strings.TrimLeft(before, " \t")
	return l.context != "" && before == "" || driverRE.MatchString(before)
}

// consequences are the panics whose cause the kernel always reports before them.
var consequences = regexp.MustCompile(`not syncing: (?:panic_on|Fatal exception|hung_task|softlockup|[Hh]ard LOCKUP|` +
	`RCU Stall|(?:KASAN|KFENCE|KCSAN|KMSAN|UBSAN|kmsan|kasan)\b|Oops|Aiee|Attempted to kill|Machine halted|` +
	`kernel: panic_on|sysrq|Fatal hardware|Tried to kill|Watchdog)`)

// Lines of the console within which two messages are one event.
const (
	near      = 60
	nearStall = 400
)

// follows reports whether the report r caused what the heading begins.
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
