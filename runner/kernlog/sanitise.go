package kernlog

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// substitutions take out of a title what differs from run to run, in this order.
var substitutions = []struct {
	re *regexp.Regexp
	by string
}{
	{regexp.MustCompile(`syz-executor\.?\d+(?:[/:]\d+)?`), "syz-executor"},
	{regexp.MustCompile(`syzkaller\d+(?:[/:]\d+)?`), "syzkaller"},
	{regexp.MustCompile(`\b([A-Za-z][\w.]+)\+0x[0-9a-f]+/0x[0-9a-f]+`), "$1"},
	{regexp.MustCompile(`([^A-Za-z0])(?:0x)?[0-9a-f]{6,}`), "${1}ADDR"},
	{regexp.MustCompile(`\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}`), "IP"},
	{regexp.MustCompile(`(\.\w+)(?::\d+)+`), "${1}:LINE"},
	{regexp.MustCompile(`CPU#\d+`), "CPU"},
	{regexp.MustCompile(`(\W)\d+(\W|$)`), "${1}NUM${2}"},
	{regexp.MustCompile(`(\W)\d+(\W|$)`), "${1}NUM${2}"}, // neighbours share the character between them
}

// sanitise makes a title printable, short and the same on every run.
func sanitise(title string) string {
	const longest = 120 // bytes; interleaved lines can be very long
	var b strings.Builder
	previous := byte(' ')
	for i := 0; i < len(title) && i < longest; i++ {
		c := title[i]
		if c == '\t' {
			c = ' '
		}
		if c < ' ' || c >= 0x7f || c == ' ' && previous == ' ' {
			continue
		}
		b.WriteByte(c)
		previous = c
	}
	title = strings.TrimSpace(b.String())
	for _, s := range substitutions {
		title = s.re.ReplaceAllString(title, s.by)
	}
	return title
}

// fingerprint identifies an event over runs, machines and builds: 16 hex digits.
func fingerprint(kind, title string, frames []string) string {
	sum := sha256.Sum256([]byte(kind + "\n" + title + "\n" + strings.Join(frames, "\n")))
	return hex.EncodeToString(sum[:8])
}
