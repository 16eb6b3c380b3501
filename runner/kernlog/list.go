package kernlog

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Limits of a list; it comes from the repository under test.
const (
	maxListBytes = 256 << 10
	maxEntries   = 500
	maxPattern   = 1000 // bytes of a regular expression
)

// Entry is one line of a list.
type Entry struct {
	// Match is a title as findings have it, a fingerprint (16 hex digits), or a regular expression (RE2) between
	// slashes. On the allow list an expression is looked for in a finding's title, on the deny list in every message.
	Match  string
	Reason string
	Until  time.Time // the last day on which it holds, UTC
	Line   int       // of the file

	pattern *regexp.Regexp
	expired bool
}

// List is what a repository says of kernel messages: those it knows and allows, and those it does not tolerate though
// they are no trouble to anybody else.
//
//	allow:
//	  - {match: WARNING in frob_check, reason: "fixed in 6.12, see #42", until: 2026-12-31}
//	deny:
//	  - {match: "/EXT4-fs error/", reason: our storage must not do this, until: 2027-12-31}
//
// An allowed finding is reported with its reason, and is not fatal; deny wins over allow. An expired entry of either
// list does nothing any more.
type List struct {
	Allow []Entry
	Deny  []Entry
}

// ParseList reads a list. now decides which entries have expired. Every mistake of the file is told, with its place; a
// file with one is no list at all.
func ParseList(src []byte, now time.Time) (*List, error) {
	if len(src) > maxListBytes {
		return nil, fmt.Errorf("read kernel message list: %d bytes are more than the %d allowed", len(src), maxListBytes)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(src, &document); err != nil {
		return nil, fmt.Errorf("read kernel message list: %w", err)
	}
	p := &listParser{now: now}
	l := &List{}
	if len(document.Content) > 0 {
		p.mapping(document.Content[0], map[string]func(*yaml.Node){
			"allow": func(n *yaml.Node) { l.Allow = p.entries(n) },
			"deny":  func(n *yaml.Node) { l.Deny = p.entries(n) },
		})
	}
	if len(p.problems) > 0 {
		return nil, fmt.Errorf("read kernel message list: %w", errors.Join(p.problems...))
	}
	return l, nil
}

// Expired are the entries that do nothing any more.
func (l *List) Expired() []Entry {
	var old []Entry
	for _, e := range l.Allow {
		if e.expired {
			old = append(old, e)
		}
	}
	for _, e := range l.Deny {
		if e.expired {
			old = append(old, e)
		}
	}
	return old
}

// apply marks the finding if it is allowed and not denied.
func (l *List) apply(f *Finding) {
	for i := range l.Deny {
		if l.Deny[i].about(f) {
			f.Fatal = true
			return
		}
	}
	for i := range l.Allow {
		if l.Allow[i].about(f) {
			f.Allowed, f.Fatal = l.Allow[i].Reason, false
			return
		}
	}
}

// about tells whether the entry holds and is about the finding.
func (e *Entry) about(f *Finding) bool {
	switch {
	case e.expired:
		return false
	case e.pattern != nil:
		return e.pattern.MatchString(f.Title)
	default:
		return e.Match == f.Title || e.Match == f.Fingerprint
	}
}

// denies returns the entry that does not tolerate the message.
func (l *List) denies(text []byte) *Entry {
	for i := range l.Deny {
		if e := &l.Deny[i]; e.pattern != nil && !e.expired && e.pattern.Match(text) {
			return e
		}
	}
	return nil
}

// searches tells whether the deny list has to be looked for in every message.
func (l *List) searches() bool {
	for _, e := range l.Deny {
		if e.pattern != nil && !e.expired {
			return true
		}
	}
	return false
}

// listParser walks the file's nodes and collects what is wrong with them.
type listParser struct {
	now      time.Time
	problems []error
}

func (p *listParser) complain(n *yaml.Node, format string, a ...any) {
	p.problems = append(p.problems, fmt.Errorf("line %d, column %d: %s", n.Line, n.Column, fmt.Sprintf(format, a...)))
}

// mapping calls the function of each key. Unknown keys, repeated keys and aliases are mistakes.
func (p *listParser) mapping(n *yaml.Node, keys map[string]func(*yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		p.complain(n, "expected a mapping")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		read, ok := keys[k.Value]
		switch {
		case !ok:
			p.complain(k, "unknown key %q", k.Value)
		case seen[k.Value]:
			p.complain(k, "key %q is given twice", k.Value)
		default:
			read(v)
		}
		seen[k.Value] = true
	}
}

func (p *listParser) entries(n *yaml.Node) []Entry {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		p.complain(n, "expected a list of entries")
		return nil
	}
	if len(n.Content) > maxEntries {
		p.complain(n, "%d entries are more than the %d allowed", len(n.Content), maxEntries)
		return nil
	}
	var all []Entry
	for _, c := range n.Content {
		all = append(all, p.entry(c))
	}
	return all
}

func (p *listParser) entry(n *yaml.Node) Entry {
	e := Entry{Line: n.Line}
	until := ""
	before := len(p.problems)
	p.mapping(n, map[string]func(*yaml.Node){
		"match":  func(v *yaml.Node) { e.Match = p.text(v); p.compile(v, &e) },
		"reason": func(v *yaml.Node) { e.Reason = p.text(v) },
		"until":  func(v *yaml.Node) { until = p.text(v); p.date(v, &e) },
	})
	if len(p.problems) > before {
		return e
	}
	for _, required := range []struct{ key, value string }{{"match", e.Match}, {"reason", e.Reason}, {"until", until}} {
		if strings.TrimSpace(required.value) == "" {
			p.complain(n, "an entry needs %q", required.key)
		}
	}
	return e
}

func (p *listParser) text(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		p.complain(n, "expected text")
		return ""
	}
	return n.Value
}

func (p *listParser) compile(n *yaml.Node, e *Entry) {
	m := e.Match
	if len(m) < 2 || m[0] != '/' || m[len(m)-1] != '/' {
		return
	}
	if len(m) > maxPattern {
		p.complain(n, "the expression is longer than %d bytes", maxPattern)
		return
	}
	re, err := regexp.Compile(m[1 : len(m)-1])
	switch {
	case err != nil:
		p.complain(n, "bad expression: %v", err)
	case re.MatchString(""):
		p.complain(n, "the expression matches everything")
	}
	e.pattern = re
}

func (p *listParser) date(n *yaml.Node, e *Entry) {
	day, err := time.Parse(time.DateOnly, n.Value)
	if err != nil {
		p.complain(n, "%q is not a date like 2026-12-31", n.Value)
		return
	}
	e.Until = day
	e.expired = !p.now.UTC().Before(day.AddDate(0, 0, 1))
}
