package kernlog

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// What differs from run to run, and is replaced in titles.
var (
	executorRE = regexp.MustCompile(`syz-executor\.?\d+(?:[/:]\d+)?`)
	fuzzerRE   = regexp.MustCompile(`syzkaller\d+(?:[/:]\d+)?`)
	offsetRE   = regexp.MustCompile(`\b([A-Za-z][\w.]+)\+0x[0-9a-f]+/0x[0-9a-f]+`)
	addressRE  = regexp.MustCompile(`([^A-Za-z0])(?:0x)?[0-9a-f]{6,}`)
	hostRE     = regexp.MustCompile(`\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}`)
	sourceRE   = regexp.MustCompile(`(\.\w+)(?::\d+)+`)
	cpuRE      = regexp.MustCompile(`CPU#\d+`)
	numberRE   = regexp.MustCompile(`(\W)\d+(\W|$)`)
)

// stable replaces it by names. A title without digits has none of it.
func stable(title string) string {
	if !strings.ContainsAny(title, "0123456789") && !addressRE.MatchString(title) {
		return title
	}
	title = executorRE.ReplaceAllString(title, "syz-executor")
	title = fuzzerRE.ReplaceAllString(title, "syzkaller")
	title = offsetRE.ReplaceAllString(title, "$1")
	title = addressRE.ReplaceAllString(title, "${1}ADDR")
	title = hostRE.ReplaceAllString(title, "IP")
	title = sourceRE.ReplaceAllString(title, "${1}:LINE")
	title = cpuRE.ReplaceAllString(title, "CPU")
	title = numberRE.ReplaceAllString(title, "${1}NUM${2}")
	return numberRE.ReplaceAllString(title, "${1}NUM${2}") // neighbors share the character between them
}

// normalize makes a title printable, short and the same on every run.
func normalize(title string) string {
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
	return stable(strings.TrimSpace(b.String()))
}

// fingerprint identifies an event over runs, machines and builds: 16 hex digits.
func fingerprint(kind, title string, frames []string) string {
	sum := sha256.Sum256([]byte(kind + "\n" + title + "\n" + strings.Join(frames, "\n")))
	return hex.EncodeToString(sum[:8])
}
