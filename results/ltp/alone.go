package ltp

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/results"
)

// reporter is a line of the new library: "../include/lapi/keyctl.h:29: TCONF: why". The file names the test.
var reporter = regexp.MustCompile(
	`^(?:\S*/)?([\w+-][\w.+-]*)\.(c|h|sh):\d+: T(PASS|FAIL|BROK|WARN|CONF|INFO|DEBUG): (.*)$`,
)

// tagged is a line of the old library, "mmap01      1  TPASS  :  why", or of the shell's, "df01 1 TPASS: why".
var tagged = regexp.MustCompile(`^([A-Za-z][\w.+-]*) +\d+ +T(PASS|FAIL|BROK|WARN|CONF|INFO)( +)?: +(.*)$`)

// helpers are the library's files, which name no test.
var helpers = regexp.MustCompile(`^(tst|safe|old|random)_`)

// kind is how a test that no runner runs is recognized.
type kind uint8

const (
	byFile   kind = iota // by the new library's lines; it prints an end
	byTag                // by the shell library's, which may print one
	byOldTag             // by the old library's, which prints none
	byKirk               // by the lines of kirk -v around it
)

// test is one that prints its own results.
type test struct {
	results.Case
	kind    kind
	named   bool
	begun   bool           // the library has printed its version or its timeout
	version bool           // its version
	edge    bool           // it has just printed one of them: the next file may be another test's
	printed map[string]int // results by kind
	last    string         // the kind of the last result; TINFO is none
}

// alone reads the lines of a test that no runner runs.
func (p *Parser) alone(s string, no int) {
	if p.summary != nil && p.count(s) {
		return
	}
	if m := tagged.FindStringSubmatch(s); m != nil {
		how := byTag
		if m[3] != "" {
			how = byOldTag
		}
		p.tag(m[1], how, no)
		p.print(m[2], m[4])
		return
	}
	if m := reporter.FindStringSubmatch(s); m != nil {
		p.file(m, no)
		p.print(m[3], m[4])
		return
	}
	if s == "Summary:" {
		if p.test == nil {
			p.begin("", byFile, no)
		}
		p.summary = map[string]int{}
	}
}

// begin opens a test.
func (p *Parser) begin(name string, how kind, no int) {
	p.lost()
	p.tests++
	p.test = &test{
		Case: results.Case{Case: name, LogLine: &no, Set: p.set}, kind: how, named: name != "", printed: map[string]int{},
	}
	if name == "" {
		p.test.Case.Case = fmt.Sprintf("test-%d", p.tests)
	}
}

// tag finds the test of a tagged line.
func (p *Parser) tag(name string, how kind, no int) {
	t := p.test
	switch {
	case t != nil && t.kind == byKirk:
	case t == nil, t.named && (t.kind == byFile || t.Case.Case != name):
		p.begin(results.Line(name), how, no)
	case !t.named:
		t.Case.Case, t.named, t.kind = results.Line(name), true, how
	}
}

// file finds the test of a line that begins with a file.
func (p *Parser) file(m []string, no int) {
	library := m[2] == "h" || helpers.MatchString(m[1])
	version := library && strings.HasPrefix(m[4], "LTP version: ")
	start := version || library && strings.HasPrefix(m[4], "Timeout per run is ")
	t := p.test
	switch {
	case t != nil && t.kind == byKirk:
		return
	case t == nil, t.kind == byOldTag, t.kind == byTag && start, version && t.version, start && !t.begun &&
		len(t.printed) > 0:
		p.begin("", byFile, no)
	case library || t.kind == byTag:
	case t.named && t.edge && t.Case.Case != m[1]:
		p.begin("", byFile, no)
	}
	if t = p.test; start {
		t.begun, t.edge, t.version = true, true, t.version || version
	} else if !library && t.kind == byFile {
		if !t.named {
			t.Case.Case, t.named = results.Line(m[1]), true
		}
		t.edge = false
	}
}

// print adds a result that the test prints.
func (p *Parser) print(result, why string) {
	t := p.test
	if result == "INFO" || result == "DEBUG" {
		return
	}
	failing := t.printed["FAIL"]+t.printed["BROK"]+t.printed["WARN"] > 0
	if result != "PASS" && !failing && (t.Message == "" || result != "CONF") {
		t.Message = results.Line("T" + result + ": " + why)
	}
	t.printed[result]++
	t.last = result
}

// count reads a line of the summary: "passed   3".
func (p *Parser) count(s string) bool {
	f := strings.Fields(s)
	if len(f) != 2 {
		return false
	}
	n, err := strconv.ParseUint(f[1], 10, 31)
	if err != nil {
		return false
	}
	switch f[0] {
	case "passed", "failed", "broken", "skipped", "warnings":
		p.summary[f[0]] = int(n)
	default:
		return false
	}
	if f[0] == "warnings" {
		p.conclude()
	}
	return true
}

// conclude gives a test its result by its summary and, since a test that crashed may have lost count, by what it
// printed.
func (p *Parser) conclude() {
	t, n := p.test, p.summary
	p.summary = nil
	if t == nil {
		return
	}
	t.Result = t.outcome(n["passed"], n["failed"]+n["broken"]+n["warnings"], n["skipped"])
	if t.kind != byKirk { // kirk prints the duration after it
		p.test = nil
		p.emit(t.Case)
	}
}

// outcome is the result by what the summary counts and by what was printed.
func (t *test) outcome(passed, failed, skipped int) string {
	switch {
	case failed+t.printed["FAIL"]+t.printed["BROK"]+t.printed["WARN"] > 0:
		return results.Fail
	case passed+t.printed["PASS"] > 0:
		t.Message = ""
		return results.Pass
	case skipped+t.printed["CONF"] > 0:
		return results.Skip
	}
	t.Message = "it reported no result"
	return results.Missing
}

// lost ends a test that printed no end. The old library never prints one, nor does the new one for a TBROK or TCONF
// before the test began.
func (p *Parser) lost() {
	t := p.test
	p.test, p.summary = nil, nil
	switch {
	case t == nil:
		return
	case t.Result != "":
	case t.kind == byTag || t.kind == byOldTag, t.last == "BROK", t.last == "CONF" &&
		t.printed["PASS"]+t.printed["FAIL"] == 0:
		t.Result = t.outcome(0, 0, 0)
	case !t.named && !t.begun && len(t.printed) == 0:
		return // one of LTP's tools
	default:
		t.Result, t.Message = results.Missing, strings.TrimSpace("it began and did not end\n"+t.Message)
	}
	p.emit(t.Case)
}

// verbose is kirk -v's line before a test's output.
var verbose = regexp.MustCompile(`^===== (\S+) =====$`)

// verbose reads what kirk -v prints around a test's output.
func (p *Parser) verbose(s string, no int) bool {
	if m := verbose.FindStringSubmatch(s); m != nil {
		p.begin(results.Line(m[1]), byKirk, no)
		p.rows++
		return true
	}
	t := p.test
	if t == nil || t.kind != byKirk {
		return false
	}
	if s == "Test timed out" {
		t.Result, t.Message = results.Fail, "timed out"
		return true
	}
	if duration, ok := strings.CutPrefix(s, "Duration: "); ok && t.Result != "" {
		t.DurationS = seconds(duration)
		p.lost()
		return true
	}
	return false
}

// seconds reads kirk's durations, "1h 2m 3s"; nil if it is none.
func seconds(s string) *float64 {
	d, err := time.ParseDuration(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		return nil
	}
	f := float64(d) / float64(time.Second)
	return &f
}
