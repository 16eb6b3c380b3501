package signal

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/gantry-ci/gantry/results"
)

// installFail is the name that signal gives <LAVA_TEST_RUNNER INSTALL_FAIL>.
const installFail = "INSTALL_FAIL"

// signal splits a signal's text into its name and the rest.
func signal(s string) (name, rest string) {
	s = strings.TrimSuffix(s, ">")
	for _, p := range []string{signalStart, ownStart, runnerStart} {
		if r, ok := strings.CutPrefix(s, p); ok {
			name, rest, _ = strings.Cut(r, " ")
			return name, rest
		}
	}
	if r, ok := strings.CutPrefix(s, "<"+Multinode+">"); ok {
		name, rest, _ = strings.Cut(strings.TrimPrefix(strings.TrimSpace(r), "<"), " ")
		return name, rest
	}
	return "", ""
}

// wellFormed reports whether a signal without a number may be a test's own: tests do not print the start and the end of
// runs, which only the helpers know.
func wellFormed(s string) bool {
	if stamped, _ := findStamp([]byte(s)); stamped >= 0 {
		return false
	}
	switch name, rest := signal(s); name {
	case "STARTRUN", "ENDRUN", "":
		return false
	case "TESTCASE":
		f := fields(rest)
		for k := range f {
			if strings.Count(rest, k+"=") > 1 {
				return false
			}
		}
		return f["TEST_CASE_ID"] != "" && (result(f["RESULT"]) != results.Unknown || f["RESULT"] == results.Unknown) &&
			(f["MEASUREMENT"] == "" || number(f["MEASUREMENT"]) != nil)
	}
	return true
}

// sameSubject reports whether two signals are of one kind and about one case.
func sameSubject(a, b string) bool {
	nameA, restA := signal(a)
	nameB, restB := signal(b)
	if nameA != nameB {
		return false
	}
	if nameA == "TESTCASE" {
		return fields(restA)["TEST_CASE_ID"] == fields(restB)["TEST_CASE_ID"]
	}
	return true
}

func isBoundary(s string) bool {
	name, _ := signal(s)
	return name == "STARTRUN" || name == "ENDRUN" || name == "RUNEXIT"
}

// fields splits "TEST_CASE_ID=a b RESULT=pass UNITS=m/s": values may have blanks.
func fields(s string) map[string]string {
	f, last := map[string]string{}, ""
	for word := range strings.SplitSeq(s, " ") {
		k, v, ok := strings.Cut(word, "=")
		switch {
		case ok && (k == "TEST_CASE_ID" || k == "RESULT" || k == "MEASUREMENT" || k == "UNITS"):
			last = k
			f[k] = v
		case last != "":
			f[last] += " " + word
		}
	}
	return f
}

// result is what a word for a result means; in capitals, it is as good to LAVA.
func result(s string) string {
	switch s {
	case results.Pass, results.Fail, results.Skip:
		return s
	case "PASS", "FAIL", "SKIP":
		return strings.ToLower(s)
	}
	return results.Unknown
}

var decimal = regexp.MustCompile(`^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?$`)

// number reads a measurement; nil when it is none that JSON can carry. Underscores are for the eye, as in Python.
func number(s string) *float64 {
	s = strings.ReplaceAll(s, "_", "")
	if !decimal.MatchString(s) {
		return nil
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil
	}
	return &n
}
