package signal

import (
	"fmt"
	"strings"
)

// kinds of cuts. Those before drop change nothing that a test printed: they only put something into it.
const (
	kernelLine = iota
	kernelSignal
	bareLine
	color
	carriage
	trace
	gentle
	kernelPiece = iota - 1
	splitLine
	drop
	double
	flip
	lostNewline
	wrap
	wrapAll
	stop
	kinds
)

// messages are what the kernel prints, and pieces are what it prints to look like a test.
var (
	messages = []string{
		"random: crng init done", "usb <cuts> in", "a > b", "<<<", "> RESULT=pass>", "systemd[1]: <html>",
		"x <GANTRY_TRAILER 2.3 00000000>",
		"end <0x2a>", "\x1b[31mred\x1b[0m", "a\rb",
		"<GANTRY_RECORD 2.2 ffffffff LAVA_SIGNAL_TESTCASE TEST_CASE_ID=no RESULT=pass>",
	}
	pieces = []string{
		"audit: <LAVA_SIGNAL_TESTCASE TEST_CASE_ID=no", "TEST_CASE_ID=no RESULT=pass>", "LAVA_", "x <LAVA_",
		"<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=no RESULT=pass>",
		"+ echo '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=no RESULT=pass>'",
		"<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=no RESULT=pass><GANTRY_TRAILER 2.3 00000000>",
		"<LAVA_SIGNAL_ENDRUN 0_boot 7_1.1.3.0>", "<LAVA_TEST_RUNNER EXIT>x",
	}
)

// What the kernel prints is between marks until the output is read, and so is an escape sequence: a line of the
// kernel's is not cut by another, since its console is locked while it prints.
const begin, end = "\x00", "\x01"

func unmarked(out string) string { return strings.NewReplacer(begin, "", end, "").Replace(out) }

// apart moves a place in the output out of a kernel's line.
func (s *script) apart(at int) int {
	if i := strings.LastIndexAny(s.out[:at], begin+end); i >= 0 && s.out[i:i+1] == begin {
		return i
	}
	return at
}

func stamp(n pick) string { return fmt.Sprintf("[%5d.%06d] ", n(9999), n(999999)) }

func (s *script) cut(n pick, kind int) {
	at := n(len(s.out) + 1)
	if kind < gentle {
		at = s.apart(at)
	}
	span := func(limit int) (string, string, string) {
		end := min(len(s.out), at+1+n(limit))
		return s.out[:at], s.out[at:end], s.out[end:]
	}
	switch kind {
	case kernelLine:
		for range 1 + n(3) {
			s.insert(at, begin+stamp(n)+messages[n(len(messages))]+"\r\n"+end)
		}
	case kernelPiece:
		s.insert(at, stamp(n)+pieces[n(len(pieces))]+"\r\n")
	case kernelSignal:
		// A test's own signal by way of /dev/kmsg, while tests run.
		if list := strings.Index(s.out, "<GANTRY_REC"); list >= 0 {
			at = s.apart(min(at, list))
		}
		id := fmt.Sprintf("kmsg%d", len(s.raw))
		s.raw = append(s.raw, id)
		s.insert(at, begin+stamp(n)+"<LAVA_SIGNAL_TESTCASE TEST_CASE_ID="+id+" RESULT=pass>\r\n"+end)
	case bareLine:
		s.insert(at, begin+[]string{
			"random: fast init done", "usb <cuts> in", "x >", "EXT4-fs (sda1): <mounted>",
		}[n(4)]+"\r\n"+end)
	case color:
		s.insert(at, begin+[]string{"\x1b[32m", "\x1b[1;31m", "\x1b[K", "\x1b]0;title\x07"}[n(4)]+end)
	case carriage:
		s.insert(at, "\r")
	case trace:
		s.insert(s.apart(s.bol(at)), "+ echo '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=traced RESULT=pass>'\r\n")
	case splitLine:
		s.insert(min(at+1+n(60), len(s.out)), "d: down\r\n")
		s.insert(at, stamp(n)+"eth0: renamed, an")
	case drop:
		a, _, c := span(200)
		s.out = a + c
	case double:
		a, b, c := span(300)
		s.out = a + b + b + c
	case flip:
		for range 1 + n(3) {
			if i := n(len(s.out) + 1); i < len(s.out) {
				s.out = s.out[:i] + string([]byte{s.out[i] ^ 1<<n(8)}) + s.out[i+1:]
			}
		}
	case lostNewline:
		if i := strings.Index(s.out[at:], "\r\n"); i >= 0 {
			s.out = s.out[:at+i] + s.out[at+i+2:]
		}
	case wrap:
		a, b, c := span(400)
		for len(b) > 80 {
			a, b = a+b[:80]+"\r\n", b[80:]
		}
		s.out = a + b + c
	case wrapAll:
		s.out = wrapped(s.out)
	case stop:
		if n(10) == 0 {
			s.out = s.out[:at]
		}
	}
}

// bol is where the line begins that at is in.
func (s *script) bol(at int) int { return strings.LastIndexByte(s.out[:at], '\n') + 1 }

// wrapped is the output of a terminal of 80 columns.
func wrapped(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		text := strings.TrimRight(line, "\r\n")
		for len(text) > wrapWidth {
			b.WriteString(text[:wrapWidth] + "\r\n")
			text = text[wrapWidth:]
		}
		b.WriteString(text + line[len(strings.TrimRight(line, "\r\n")):])
	}
	return b.String()
}

func (s *script) insert(at int, text string) { s.out = s.out[:at] + text + s.out[at:] }
