package kernlog

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/results"
)

// Limits of a list; it comes from the repository under test.
const (
	maxEntries = 500
	maxPattern = 1000 // bytes of a regular expression
)

// Entry is one line of a list.
type Entry struct {
	// Match is a title as findings have it, a fingerprint (16 hex digits), or a regular expression (RE2) between
	// slashes. On the allow list an expression is matched with a finding's title, on the deny list with every message.
	Match  string
	Reason string
	Until  results.Until
	Place  schema.Position

	pattern *regexp.Regexp
	expired bool
}

// Fields declares the entry.
func (e *Entry) Fields(f *schema.Fields) {
	f.Required("match", schema.Tested(schema.Text(&e.Match), e.compile),
		"a finding's title, its fingerprint, or a regular expression between slashes")
	f.Required("reason", schema.NonEmpty(schema.Text(&e.Reason)), "why it is known or not tolerated")
	f.Required(
		"until", e.Until.Type(), "the last day on which the entry holds, as 2026-12-31",
	)
	f.Place(&e.Place)
}

// List is what a repository says of kernel messages: those it knows and allows, and those it does not tolerate though
// they are no trouble to anybody else.
//
//	allow:
//	  - {match: WARNING in frob_check, reason: "fixed in 6.12, see #42", until: 2026-12-31}
//	deny:
//	  - {match: "/EXT4-fs error/", reason: our storage must not do this, until: 2027-12-31}
//
// An allowed finding is reported with its reason, and is not fatal; a denied one is fatal, and deny wins. An expired
// entry of either list does nothing any more.
type List struct {
	Allow []Entry
	Deny  []Entry
}

// Fields declares the list.
func (l *List) Fields(f *schema.Fields) {
	f.Optional("allow", schema.Objects(&l.Allow), "findings that are known, and do not end the run")
	f.Optional("deny", schema.Objects(&l.Deny), "findings and messages that are never tolerated")
	f.Check(func(*schema.Node) *schema.Fault {
		if n := len(l.Allow) + len(l.Deny); n > maxEntries {
			return &schema.Fault{
				Message: fmt.Sprintf("the list has %d entries", n), Expected: fmt.Sprintf("at most %d", maxEntries),
			}
		}
		return nil
	})
}

// ParseList reads a list. now decides which entries have expired. A file with a mistake is no list at all: the report
// has every mistake with its place.
func ParseList(src []byte, now time.Time) (*List, *schema.Report) {
	l := &List{}
	report := results.ReadList(src, func(n *schema.Node, report *schema.Report) {
		schema.Decode(n, "", l, schema.Strict, report)
	})
	if !report.Valid() {
		return nil, report
	}
	for _, entries := range [][]Entry{l.Allow, l.Deny} {
		for i := range entries {
			entries[i].expired = entries[i].Until.Passed(now)
		}
	}
	return l, report
}

// Expired are the entries that do nothing any more.
func (l *List) Expired() []Entry {
	return slices.DeleteFunc(slices.Concat(l.Allow, l.Deny), func(e Entry) bool { return !e.expired })
}

// apply marks the finding if it is allowed or denied.
func (l *List) apply(f *results.Finding) {
	// The title of a denied message is its text without numbers, but the expression matched the message.
	denied := func(e Entry) bool { return e.about(f) || f.Kind == results.KindDenied && e.denies([]byte(f.Text)) }
	if i := slices.IndexFunc(l.Deny, denied); i >= 0 {
		f.Denied, f.Fatal = l.Deny[i].Reason, true
		return
	}
	if i := slices.IndexFunc(l.Allow, func(e Entry) bool { return e.about(f) }); i >= 0 {
		f.Allowed, f.Fatal = l.Allow[i].Reason, false
	}
}

// about reports whether the entry holds and is about the finding.
func (e *Entry) about(f *results.Finding) bool {
	switch {
	case e.expired:
		return false
	case e.pattern != nil:
		return e.pattern.MatchString(f.Title)
	default:
		return e.Match == f.Title || e.Match == f.Fingerprint
	}
}

// denies reports whether the deny list has the message.
func (l *List) denies(text []byte) bool {
	return slices.ContainsFunc(l.Deny, func(e Entry) bool { return e.denies(text) })
}

// denies reports whether the entry, on the deny list, is about the message.
func (e *Entry) denies(text []byte) bool { return e.searches() && e.pattern.Match(text) }

// searches reports whether the entry, on the deny list, is matched with every message.
func (e *Entry) searches() bool { return e.pattern != nil && !e.expired }

func (e *Entry) compile(*schema.Node) *schema.Fault {
	m := e.Match
	switch {
	case strings.TrimSpace(m) == "":
		return &schema.Fault{Message: "it is empty"}
	case len(m) < 2 || m[0] != '/' || m[len(m)-1] != '/':
		return nil
	case len(m) > maxPattern:
		return &schema.Fault{Message: "the expression is too long", Expected: fmt.Sprintf("at most %d bytes", maxPattern)}
	}
	re, err := regexp.Compile(m[1 : len(m)-1])
	switch {
	case err != nil:
		return &schema.Fault{Message: "bad expression: " + err.Error(), Expected: "RE2 syntax"}
	case re.MatchString(""):
		return &schema.Fault{Message: "the expression matches everything"}
	}
	e.pattern = re
	return nil
}
