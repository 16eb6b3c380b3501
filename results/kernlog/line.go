package kernlog

import (
	"bytes"
	"regexp"

	"github.com/gantry-ci/gantry/internal/printk"
	"github.com/gantry-ci/gantry/internal/terminal"
)

// line is one message: a line of the console, or a part of one where printk cut in.
type line struct {
	number  int
	context string // "" without a printk prefix, "console" with one, else its caller: "T123" or "C0"
	stamped bool   // it has printk's time stamp
	text    []byte // without prefix and escapes
}

// console is the context of a line with a time stamp but no caller (CONFIG_PRINTK_CALLER off).
const console = "console"

var (
	// relayRE is what a relay of the kernel log puts before it: syslog, the journal, logread, dmesg -T, /dev/kmsg,
	// Android's logcat, and a console that a login prompt or a loss report shares.
	relayRE = regexp.MustCompile(`^(?:\*\* \d+ printk messages dropped \*\*[ \t]*` +
		`|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? (?:\S+ )?kernel(?:\[\d+\])?: ` +
		`|(?:[A-Z][a-z]{2} ){2}[ \d]\d \d\d:\d\d:\d\d \d{4} \S+ kernel: ` +
		`|\[(?:[A-Z][a-z]{2} ){2}[ \d]\d \d\d:\d\d:\d\d \d{4}\] ` +
		`|\d{1,3},\d{1,19},\d{1,19},[^;]{0,64};` +
		`|\d{4}-\d\d-\d\dT\S+ \S+ kernel(?:\[\d+\])?: ` +
		`|\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} +(?:\d+ +){1,2}[VDIWEF] (?:kernel *|\[[^\]]*\]|[^:]*): ?` +
		`|<\d{1,3}>)`)
	// traceRE is a command in a shell's trace (set -x). What a test greps for or prints is no message of the kernel.
	traceRE = regexp.MustCompile(`^\++ `)
	// recorderRE is the time that a recorder of the console puts before every line, not only the kernel's.
	recorderRE = regexp.MustCompile(
		`^\[?\d{4}[-/]\d\d[-/]\d\d[T, ]{1,2}\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\]?:? `,
	)
	// vendorRE is what board makers' kernels print between the stamp and the message: process, CPU and name.
	vendorRE = regexp.MustCompile(
		`^ ?(?:\[pid:(\d{1,7}),cpu\d+,[^\]]{0,16}\]|\(\d+\)\[(\d{1,7}):[^\]]{0,16}\]|\[\d+: *[^\]:]{1,16}: *(\d{1,7})\] ?)`,
	)
)

// messages calls yield with each message of a line of the console. Parts that a carriage return overwrites, and parts
// of a line into which printk wrote, are messages of their own.
func messages(number int, raw []byte, yield func(line)) {
	for part := range bytes.SplitSeq(raw, []byte{'\r'}) {
		part = terminal.Text(part)
		for len(part) > 0 {
			m, rest := split(number, part)
			if len(m.text) > 0 && (m.context != "" || !traceRE.Match(m.text)) {
				yield(m)
			}
			part = rest
		}
	}
}

// split returns the first message of b, and what follows it.
func split(number int, b []byte) (line, []byte) {
	l := unrelayed(number, b)
	first, ok := printk.Message(l.text)
	if !ok {
		return l, nil
	}
	if first.Start > 0 { // user text, then a kernel message
		head := l
		head.text = l.text[:first.Start]
		return head, l.text[first.Start:]
	}
	l.context, l.stamped = console, true
	if len(first.Caller) > 0 {
		l.context = string(first.Caller)
	}
	l.text = l.text[first.End:]
	var rest []byte
	if second, ok := printk.Message(l.text); ok {
		l.text, rest = l.text[:second.Start], l.text[second.Start:]
	}
	return l.unbranded(), rest
}

// unrelayed is a line without what recorders and relays of the log put before it.
func unrelayed(number int, b []byte) line {
	l := line{number: number, text: b}
	relay := relayRE.FindIndex(b)
	if relay == nil && len(b) > 0 && (b[0] == '[' || b[0] == '2') {
		l.text = b[len(recorderRE.Find(b)):]
		relay = relayRE.FindIndex(l.text)
	}
	if relay == nil {
		return l
	}
	dropped := bytes.HasPrefix(l.text, []byte("**"))
	l.text = l.text[relay[1]:]
	if !dropped && len(l.text) > 0 {
		l.context = console
	}
	return l
}

// unbranded is a message without a board maker's addition, whose process stands in for printk's caller.
func (l line) unbranded() line {
	m := vendorRE.FindSubmatch(l.text)
	if m == nil {
		return l
	}
	l.text = l.text[len(m[0]):]
	for _, pid := range m[1:] {
		if len(pid) > 0 && l.context == console {
			l.context = "T" + string(pid)
		}
	}
	return l
}
