package results_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/results"
)

const knownList = `# what is known
rpi4-3:
  - {test: 0_smoke/here, comment: this board only}
  - {test: 0_smoke/first, comment: of the board}
rpi4:
  - {test: 0_smoke/suspend, comment: "no driver yet, #42", until: 2026-05-05}
  - {test: 0_smoke/old, comment: fixed, until: 2026-05-04}
  - {test: 0_smoke/first, comment: of the type}
"*":
  - {test: "*_ltp/fanotify*", comment: before 6.12}
  - {test: 1_ltp/set/a, comment: in a set}
  - {test: "0_smoke/tw?ce", comment: the pattern}
  - {test: 0_smoke/twice, comment: the name}
  - {test: 0_smoke/old, comment: elsewhere}
`

func TestKnownFailures(t *testing.T) {
	now := time.Date(2026, 5, 5, 23, 59, 59, 0, time.UTC)
	list, report := results.ParseKnownFailures([]byte(knownList), now)
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	set := "set"
	for _, c := range []struct {
		c    results.Case
		want string // note and comment
	}{
		{result("0_smoke", "uname", results.Fail), ": "},
		{result("0_smoke", "suspend", results.Fail), "known failure: no driver yet, #42"},
		{result("0_smoke", "suspend", results.Pass), "unexpected pass: no driver yet, #42"},
		{result("0_smoke", "suspend", results.Skip), ": "},
		{result("0_smoke", "suspend", results.Missing), ": "},
		{result("0_smoke", "suspend", results.Fail, "unsequenced"), "unsequenced, known failure: no driver yet, #42"},
		{result("1_smoke", "suspend", results.Fail), ": "},
		{result("0_smoke", "old", results.Fail), "known failure: elsewhere"}, // the type's entry has expired
		{result("0_smoke", "here", results.Fail), "known failure: this board only"},
		{result("0_smoke", "first", results.Fail), "known failure: of the board"},
		{result("3_ltp", "fanotify/01", results.Fail), "known failure: before 6.12"},
		{result("3_ltp", "anotify", results.Fail), ": "},
		{results.Case{Suite: "1_ltp", Set: &set, Case: "a", Result: results.Fail}, "known failure: in a set"},
		{result("1_ltp", "a", results.Fail), ": "},
		{result("0_smoke", "twice", results.Fail), "known failure: the pattern"},
		{result("lava", "0_smoke", results.Fail), ": "},
	} {
		got := c.c
		list.Watch("rpi4-3", "rpi4").Mark(&got)
		if got.Note+": "+got.Known != c.want {
			t.Errorf("%s %s: got %q, want %q", c.c.Name(), c.c.Result, got.Note+": "+got.Known, c.want)
		}
	}
	other := result("0_smoke", "suspend", results.Fail)
	list.Watch("bbb-1", "bbb").Mark(&other)
	if other.Note != "" {
		t.Error("an entry of one type counts on another")
	}
	var expired []string
	for _, k := range list.Expired("rpi4-3", "rpi4") {
		expired = append(expired, fmt.Sprintf("%d %s", k.Place.Line, k.Test))
	}
	if d := cmp.Diff([]string{"7 0_smoke/old"}, expired); d != "" {
		t.Error(d)
	}
	none := (*results.KnownFailures)(nil).Watch("x", "y")
	if none.Mark(&other); none.Stale() != nil {
		t.Error("no list is stale")
	}
	for _, src := range []string{"", "# none yet\n", "{}", "rpi4: []\n"} {
		if l, r := results.ParseKnownFailures([]byte(src), now); !r.Valid() || l == nil {
			t.Errorf("%q is refused: %v", src, r.Err())
		}
	}
}

// TestStalePattern has the cases of a pattern pass: some may, not all.
func TestStalePattern(t *testing.T) {
	list, report := results.ParseKnownFailures([]byte(knownList), time.Date(2026, 5, 5, 0, 0, 0, 0, time.UTC))
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ results, want string }{
		{"", ""},
		{"pass", `known failure "*_ltp/fanotify*" (before 6.12, line 10 of the list): its 1 cases passed`},
		{"pass pass", "its 2 cases passed"},
		{"pass fail pass", ""},
		{"fail", ""},
		{"missing", ""},
		{"skip", ""},
	} {
		w := list.Watch("rpi4-3", "rpi4")
		for i, r := range strings.Fields(c.results) {
			x := result("3_ltp", fmt.Sprintf("fanotify%d", i), r)
			if w.Mark(&x); x.HasNote(results.NoteUnexpectedPass) {
				t.Errorf("%s: a case of a pattern is marked", c.results)
			}
		}
		err := w.Stale()
		if c.want == "" && err != nil ||
			c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || results.ClassOf(err) != results.ClassTest) {
			t.Errorf("%s: %v, want %q", c.results, err, c.want)
		}
	}
}

func TestBrokenKnownFailures(t *testing.T) {
	for name, c := range map[string]struct{ list, want string }{
		"a list":         {"- x", "1:1: "},
		"no list":        {"rpi4: x", "1:7: rpi4: "},
		"null":           {"rpi4:\n", "rpi4: expected a list"},
		"unknown field":  {"rpi4:\n- {test: a/b, comment: y, untill: 2026-01-01}", "2:27: rpi4[0].untill: "},
		"device twice":   {"rpi4: []\nrpi4: []", "2:1: "},
		"no date":        {"rpi4: [{test: a/b, comment: y, until: soon}]", `1:39: rpi4[0].until: "soon" is not a date`},
		"no comment":     {"rpi4: [{test: a/b}]", "rpi4[0].comment"},
		"empty comment":  {"rpi4: [{test: a/b, comment: ' '}]", "1:29: rpi4[0].comment: it is empty"},
		"no test":        {"rpi4: [{comment: x}]", "rpi4[0].test"},
		"no suite":       {"rpi4: [{test: uname, comment: x}]", `"uname" names no suite`},
		"too long":       {"rpi4: [{test: a/" + strings.Repeat("b", 500) + ", comment: x}]", "it is too long"},
		"too many globs": {"rpi4: [" + strings.Repeat("{test: '*/x', comment: x},", 301) + "]", "301 patterns"},
		"too many":       {"rpi4: [" + strings.Repeat("{test: a/b, comment: x},", 5001) + "]", "5001 entries"},
		"not YAML":       {"rpi4: [", "not YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			l, report := results.ParseKnownFailures([]byte(c.list), time.Time{})
			if report.Valid() || l != nil {
				t.Fatalf("accepted as %+v", l)
			}
			if err := report.Err(); !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %q does not say %q", err, c.want)
			}
		})
	}
}
