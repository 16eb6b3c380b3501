package kernlog_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/results/kernlog"
)

var (
	prefixRE = regexp.MustCompile(`^(\[ *\d+\.\d{6}\])(\[ *[TC]\d+\])? ?`)
	// garbageRE is what a title must not keep of a report that ended too early.
	garbageRE = regexp.MustCompile(`(?:CPU|PID): |\b0x[0-9a-f]{2,}|\b[0-9a-f]{8,}\b|\+0x|[^ -~]`)
)

// degradations are what a serial line and those who share it do to a kernel's messages. What keeps 1 of the titles
// changes none.
func degradations(r *rand.Rand) []degradation {
	sometimes := func(text string) string {
		if r.IntN(3) > 0 {
			return ""
		}
		return text
	}
	return []degradation{
		{"carriage returns", 1, func(s string) string { return s + "\r" }},
		{"two carriage returns", 1, func(s string) string { return s + "\r\r" }},
		{"colors", 1, func(s string) string {
			p := prefixRE.FindString(s)
			return "\x1b[32m" + p + "\x1b[0m\x1b[33m" + s[len(p):] + "\x1b[m\x1b[K"
		}},
		{"levels", 1, func(s string) string { return prefixRE.ReplaceAllString(s, "<4>$0") }},
		{
			"a recorder's times", 1,
			func(s string) string { return prefixRE.ReplaceAllString(s, "2026-01-02T03:04:05.678Z $0") },
		},
		{
			"a program's lines between", 1,
			func(s string) string { return s + sometimes("\nok 7 - no 'Kernel panic - not syncing:' in the log") },
		},
		{"a program's text before", 1, func(s string) string {
			if !prefixRE.MatchString(s) {
				return s
			}
			return sometimes("copying /usr/bin/file ") + s
		}},
		// Without callers, tasks that report at once cannot be told apart, nor the kernel from programs without stamps.
		{"no callers", 0.95, func(s string) string { return prefixRE.ReplaceAllString(s, "$1 ") }},
		{"no stamps", 0.92, func(s string) string { return prefixRE.ReplaceAllString(s, "") }},
	}
}

type degradation struct {
	name   string
	titles float64 // that stay what they were, at least
	line   func(string) string
}

// TestDegraded checks what becomes of the corpus' findings on a worse line.
func TestDegraded(t *testing.T) {
	all := logs(t)
	for n, d := range degradations(rand.New(rand.NewPCG(1, 2))) {
		t.Run(d.name, func(t *testing.T) {
			found, same, known := 0, 0, 0
			for i, l := range all {
				name, log := l.name, l.text
				if i%12 != n%12 { // a twelfth of them each: it takes its time
					continue
				}
				before := titles(log)
				if len(before) == 0 {
					continue
				}
				known++
				lines := bytes.Split(log, []byte("\n"))
				for i, l := range lines {
					lines[i] = []byte(d.line(string(l)))
				}
				after := titles(bytes.Join(lines, []byte("\n")))
				if len(after) > 0 {
					found++
				}
				if len(after) > 0 && after[0] == before[0] {
					same++
				} else if d.titles == 1 {
					t.Errorf("%s: %q became %q", name, before, after)
				}
			}
			t.Logf("found %d of %d, same title %d", found, known, same)
			if float64(found) < 0.98*float64(known) || float64(same) < d.titles*float64(known) {
				t.Errorf("less than 0.98 found or less than %.2f the same", d.titles)
			}
		})
	}
}

// TestCutOff ends the corpus' logs anywhere after their first finding's first line: it is found all the same, and
// titled by words.
func TestCutOff(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	all, same := 0, 0
	for i, l := range logs(t) {
		if i%3 > 0 {
			continue
		}
		name, log := l.name, l.text
		whole := scan(string(log))
		if len(whole) == 0 {
			continue
		}
		first := whole[0]
		begin := 0
		for range first.Line {
			begin += bytes.IndexByte(log[begin:], '\n') + 1
		}
		cut := log[:begin+r.IntN(len(log)-begin+1)]
		found := scan(string(cut))
		all++
		switch {
		case len(found) == 0:
			t.Errorf("%s, cut after %d bytes: %q is not found", name, len(cut), first.Title)
			continue
		case found[0].Title == first.Title:
			same++
		}
		if garbageRE.MatchString(found[0].Title) && !garbageRE.MatchString(first.Title) {
			t.Errorf("%s, cut after %d bytes: %q became %q", name, len(cut), first.Title, found[0].Title)
		}
	}
	t.Logf("the title is complete in %d of %d", same, all)
}

type namedLog struct {
	name string
	text []byte
}

// logs are the corpus' logs, by name.
func logs(t *testing.T) []namedLog {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(corpus, "*.log"))
	if err != nil || len(paths) == 0 {
		t.Skipf("no crash logs to degrade in %s", corpus)
	}
	slices.Sort(paths)
	var all []namedLog
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, namedLog{filepath.Base(p), text})
	}
	return all
}

func titles(log []byte) []string {
	found, err := kernlog.Classify(bytes.NewReader(log))
	if err != nil {
		panic(fmt.Sprintf("reading memory: %v", err))
	}
	var all []string
	for _, f := range found {
		all = append(all, strings.TrimSpace(f.Title))
	}
	return all
}
