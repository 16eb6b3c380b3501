package kernlog

import (
	"regexp"
	"strings"

	"github.com/gantry-ci/gantry/internal/plaintext"
	"github.com/gantry-ci/gantry/results"
)

// report is an event being collected.
type report struct {
	head    line
	heading *heading
	during  During
	body    []string // its messages, the heading first; what follows the panic of a long report is left out
	text    []string // all its messages, for people
	bytes   int
	own     int  // messages of its context
	last    int  // line of the latest of them
	all     bool // other CPUs' messages belong to it too: they are being traced
	closed  bool // for the title: another report has begun, and nothing tells the two apart
	cut     bool // for the title: the rest repeats what was said
	fatal   bool
	alarmed bool // it has been reported as fatal, before it was complete
	done    bool
	tries   int // to title it before its end
	settled int // line after which the report is complete, since its title is; 0 while it is not
}

func newReport(l line, h *heading, during During) *report {
	const before = 256 // bytes of a message worth keeping before the words that tell
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

// keep stores a message for the title and for people.
func (r *report) keep(s string) {
	const longest = 1024 // of a message; no title needs more
	s = s[:min(len(s), longest)]
	r.bytes += len(s)
	r.text = append(r.text, s)
	if !r.closed && !r.cut {
		r.body = append(r.body, s)
	}
}

// mostTries is how often a report's title is looked for before its end.
const mostTries = 4

// stranger tells a message that comes with a stack but is no report: what follows is not of the report before it.
func stranger(text string) bool {
	return containsAny(text, []string{
		"vmalloc: allocation failure:",
		"FAULT_INJECTION: forcing a failure",
		"FAULT_FLAG_ALLOW_RETRY missing",
	})
}

// add takes a message if it belongs to the report. another tells that it begins one of its own.
func (r *report) add(l line, another bool) {
	if r.done {
		return
	}
	text := string(l.text)
	tagged := r.head.context != "" && r.head.context != console
	if !tagged && (another || stranger(text)) {
		r.closed = true
	}
	if strings.Contains(text, "** replaying previous printk message **") && r.own == 1 {
		r.heading = nil // it is all said again
		r.done = true
		return
	}
	mine := l.context == r.head.context || r.all && strings.HasPrefix(l.context, "C")
	if !mine || doubtful(text) {
		return
	}
	r.own++
	r.last = l.number
	switch {
	case strings.Contains(text, "Disabling lock debugging due to kernel taint"):
		return
	case strings.Contains(text, "Sending NMI from CPU"):
		r.all = true
	case r.own > r.heading.group.enough() && (strings.Contains(text, "Kernel panic - not syncing") ||
		strings.Contains(text, "WARNING: possible circular locking dependency detected")):
		// The report is complete: the panic (panic_on_warn) traces the same stack again, and lockdep's complaint is
		// about the reporting itself.
		r.cut = true
	}
	r.keep(text)
	if r.own >= maxBody || r.bytes >= maxBodyBytes {
		r.done = true
	}
	r.end(text, l.number)
}

// endRE is where the kernel ends a report: its own mark, the line below a sanitizer's, the end of a stack.
var endRE = regexp.MustCompile(`---\[ end trace |^={60,}$|^ *</TASK>`)

// end settles the report at an end mark, if its title is known by then.
func (r *report) end(text string, number int) {
	if r.settled > 0 || r.tries >= mostTries || !endRE.MatchString(text) {
		return
	}
	r.settle(number)
}

// settle has the report completed some lines later, when its title is known; a panic may follow until then.
func (r *report) settle(number int) {
	r.tries++
	if compose(r).sure {
		r.settled = number + near
	}
}

// expire completes a report that has been open for too long, or whose context fell silent.
func (r *report) expire(number int) {
	if number-r.last == near && r.settled == 0 && r.tries < mostTries {
		r.settle(number)
	}
	if number-r.head.number > maxAge || r.settled > 0 && number > r.settled {
		r.done = true
	}
}

// preliminary is the finding as far as it is known.
func (r *report) preliminary() results.Finding {
	f, _ := r.finding()
	return f
}

// finding is what the report comes to; false if it turned out to be none.
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
		Fatal: r.fatal || t.fatal, Text: excerpt(r.text), Section: r.during.Section, Suite: r.during.Suite, Case: r.during.Case,
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
