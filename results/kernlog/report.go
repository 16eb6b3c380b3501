package kernlog

import (
	"regexp"
	"strings"

	"github.com/gantry-ci/gantry/internal/plaintext"
	"github.com/gantry-ci/gantry/results"
)

// report is an event that is being collected, message by message.
type report struct {
	head    line
	heading *heading // nil if the report turned out to be void
	during  During
	body    []string // the messages that make the title, the heading first
	text    []string // all messages, for people
	bytes   int      // of text
	own     int      // messages of the report's context
	last    int      // line of the latest of them
	allCPUs bool     // messages of other CPUs belong to it: they print their stacks on its behalf

	// Nothing more goes into body: another report has begun whose messages look the same (mixed), or the rest only
	// repeats what was printed (repeats).
	mixed, repeats bool

	fatal    bool
	alarmed  bool // Options.Fatal has been called for it
	done     bool
	attempts int // to compose the title before the report's end
	closeAt  int // line after which a report whose title is complete is done; 0 while it is not complete
}

func newReport(l line, h *heading, during During) *report {
	const before = 256 // bytes of a message that are kept before the group's word
	r := &report{heading: h, fatal: h.fatal, during: during}
	r.head = line{number: l.number, context: strings.Clone(l.context)}
	text := l.text
	if h.at > before {
		text, h.at = text[h.at:], 0
	}
	r.keep(string(text))
	r.own, r.last = 1, l.number
	return r
}

// keep stores a message, for the title and for people.
func (r *report) keep(s string) {
	const longest = 1024 // of a message; no title needs more
	s = s[:min(len(s), longest)]
	r.bytes += len(s)
	r.text = append(r.text, s)
	if !r.mixed && !r.repeats {
		r.body = append(r.body, s)
	}
}

// maxAttempts is how often a report's title is composed before its end.
const maxAttempts = 4

// unrelated reports whether a message comes with a stack but begins no report: the stack is not that of the report
// before it.
func unrelated(text string) bool {
	return containsAny(text, []string{
		"vmalloc: allocation failure:",
		"FAULT_INJECTION: forcing a failure",
		"FAULT_FLAG_ALLOW_RETRY missing",
	})
}

// add takes a message if it belongs to the report. begins says that the message begins a report of its own.
func (r *report) add(l line, begins bool) {
	if r.done {
		return
	}
	text := string(l.text)
	tagged := r.head.context != "" && r.head.context != console
	if !tagged && (begins || unrelated(text)) {
		r.mixed = true
	}
	if strings.Contains(text, "** replaying previous printk message **") && r.own == 1 {
		r.heading = nil // printk prints all of it once more
		r.done = true
		return
	}
	own := l.context == r.head.context || r.allCPUs && strings.HasPrefix(l.context, "C")
	if !own || guessed(text) {
		return
	}
	r.own++
	r.last = l.number
	switch {
	case strings.Contains(text, "Disabling lock debugging due to kernel taint"):
		return
	case strings.Contains(text, "Sending NMI from CPU"):
		r.allCPUs = true
	case r.own > r.heading.group.titleLines() && (strings.Contains(text, "Kernel panic - not syncing") ||
		strings.Contains(text, "WARNING: possible circular locking dependency detected")):
		// The report is complete: the panic (panic_on_warn) traces the same stack again, and lockdep's complaint is
		// about the reporting itself.
		r.repeats = true
	}
	r.keep(text)
	if r.own >= maxBody || r.bytes >= maxBodyBytes {
		r.done = true
	}
	if endRE.MatchString(text) {
		r.tryTitle(l.number)
	}
}

// endRE is how the kernel ends a report: an end mark, a sanitizer's closing line, the end of a stack.
var endRE = regexp.MustCompile(`---\[ end trace |^={60,}$|^ *</TASK>`)

// tryTitle composes the title early. If nothing is missing in it, the report is done some lines later: until then a
// panic may follow.
func (r *report) tryTitle(number int) {
	if r.closeAt > 0 || r.attempts >= maxAttempts {
		return
	}
	r.attempts++
	if compose(r).complete {
		r.closeAt = number + near
	}
}

// expire ends a report that has been open for too long, or whose context has fallen silent.
func (r *report) expire(number int) {
	if number-r.last == near {
		r.tryTitle(number)
	}
	if number-r.head.number > maxAge || r.closeAt > 0 && number > r.closeAt {
		r.done = true
	}
}

// preliminary is the finding as far as it is known.
func (r *report) preliminary() results.Finding {
	f, _ := r.finding()
	return f
}

// finding is the report as a finding; false if it turned out to be no kernel trouble.
func (r *report) finding() (results.Finding, bool) {
	if r.heading == nil {
		return results.Finding{}, false
	}
	t := compose(r)
	if t.none {
		return results.Finding{}, false
	}
	f := results.Finding{
		Line: r.head.number, Kind: t.kind, Title: t.title, Emulation: t.emulation,
		Fatal: r.fatal || t.fatal, Text: excerpt(r.text),
		Section: r.during.Section, Suite: r.during.Suite, Case: r.during.Case,
	}
	f.Fingerprint = fingerprint(f.Kind, f.Title, t.frames)
	return f, true
}

// excerpt is the lines as one text of bounded size.
func excerpt(lines []string) string {
	var b strings.Builder
	for _, s := range lines {
		if b.Len()+len(s) >= maxText {
			b.WriteString("…\n")
			break
		}
		b.WriteString(plaintext.Valid(s))
		b.WriteByte('\n')
	}
	return b.String()
}

func containsAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}
