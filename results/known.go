package results

import (
	"fmt"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/internal/schema"
)

// Limits of a list of known failures; it comes from the repository under test.
const (
	maxKnown        = 5000 // entries of one device
	maxKnownGlobs   = 300  // of these, with * or ?
	maxKnownPattern = 500  // bytes
)

// AnyDevice is the key of the entries that hold on every device.
const AnyDevice = "*"

// KnownFailures are the cases that a repository expects to fail: by device, that is a target's name, a device type or
// "*", a list of tests.
//
//	rpi4:
//	  - {test: 0_smoke/suspend, comment: "no driver yet, #42", until: 2026-12-31}
//	"*":
//	  - {test: "*_ltp/fanotify*", comment: not before 6.12, until: 2026-06-30}
//
// A test is a case's name, "suite/case", or "suite/set/case" in a set, as results.json has them. In a pattern * stands
// for any text, slashes too, and ? for any one character. The first entry that fits counts: the target's, then its
// type's, then those of every device. Until is the last day, in UTC, on which the entry holds; without it it always
// does.
//
// A failed case on the list does not fail its run; one that passes does, so that the list stays true: where a pattern
// stands for several cases, all of them must pass for that. A missing result is never excused, nor is a crash, whatever
// case it fell into.
type KnownFailures struct {
	devices map[string]*knownList
}

// Known is an entry of the list.
type Known struct {
	Test    string // a case's name, or a pattern
	Comment string // why it fails
	Until   Until
	Place   schema.Position

	expired bool
}

// Fields declares the entry.
func (k *Known) Fields(f *schema.Fields) {
	f.Required(
		"test", schema.Tested(schema.Text(&k.Test), k.checkTest),
		"A case as `suite/case`, or a pattern of such names with `*` and `?`.",
	)
	f.Required("comment", schema.Tested(schema.Text(&k.Comment), k.checkComment), "Why it is known to fail.")
	f.Optional(
		"until", k.Until.Type(),
		"The last day on which the entry holds, as 2026-12-31, in UTC.",
	)
	f.Place(&k.Place)
}

func (k *Known) checkTest(*schema.Node) *schema.Fault {
	switch {
	case strings.TrimSpace(k.Test) == "":
		return &schema.Fault{Message: "it is empty"}
	case len(k.Test) > maxKnownPattern:
		return &schema.Fault{Message: "it is too long", Expected: fmt.Sprintf("at most %d bytes", maxKnownPattern)}
	case strings.Contains(k.Test, "/") || strings.Contains(k.Test, "*"):
		return nil
	}
	return &schema.Fault{
		Message: fmt.Sprintf("%q names no suite", k.Test), Expected: "suite/case, as 0_smoke/uname, or a pattern as */uname",
	}
}

func (k *Known) checkComment(*schema.Node) *schema.Fault {
	if strings.TrimSpace(k.Comment) == "" {
		return &schema.Fault{Message: "it is empty"}
	}
	return nil
}

// pattern reports whether the test stands for several names.
func (k *Known) pattern() bool { return strings.ContainsAny(k.Test, "*?") }

// knownList is a device's part of the list.
type knownList struct {
	entries []Known
	names   map[string]int // the first entry in force of each name that is no pattern
	globs   []int          // the entries in force that are patterns
}

// index prepares the look-up of entries that hold now.
func (l *knownList) index(now time.Time) {
	l.names, l.globs = map[string]int{}, nil
	for i := range l.entries {
		k := &l.entries[i]
		k.expired = k.Until.Passed(now)
		switch _, twice := l.names[k.Test]; {
		case k.expired || twice:
		case k.pattern():
			l.globs = append(l.globs, i)
		default:
			l.names[k.Test] = i
		}
	}
}

// find is the first entry in force that fits the name.
func (l *knownList) find(name string) *Known {
	if l == nil {
		return nil
	}
	best, ok := l.names[name]
	for _, i := range l.globs {
		if ok && i > best {
			break
		}
		if glob(l.entries[i].Test, name) {
			return &l.entries[i]
		}
	}
	if !ok {
		return nil
	}
	return &l.entries[best]
}

// ParseKnownFailures reads a list. now decides which entries have expired. A file with a mistake is no list at all: the
// report has every mistake with its place.
func ParseKnownFailures(src []byte, now time.Time) (*KnownFailures, *schema.Report) {
	list := &KnownFailures{devices: map[string]*knownList{}}
	var devices map[string][]Known
	report := ReadList(src, func(n *schema.Node, report *schema.Report) {
		schema.Read(n, "", schema.MapOf(&devices, func(dst *[]Known) schema.Type {
			return schema.Tested(schema.Objects(dst), func(*schema.Node) *schema.Fault { return tooMany(*dst) })
		}), schema.Strict, report)
	})
	if !report.Valid() {
		return nil, report
	}
	for device, entries := range devices {
		l := &knownList{entries: entries}
		l.index(now)
		list.devices[device] = l
	}
	return list, report
}

func tooMany(entries []Known) *schema.Fault {
	globs := 0
	for i := range entries {
		if entries[i].pattern() {
			globs++
		}
	}
	switch {
	case len(entries) > maxKnown:
		return &schema.Fault{
			Message: fmt.Sprintf("the device has %d entries", len(entries)), Expected: fmt.Sprintf("at most %d", maxKnown),
		}
	case globs > maxKnownGlobs:
		return &schema.Fault{
			Message: fmt.Sprintf("the device has %d patterns", globs), Expected: fmt.Sprintf("at most %d", maxKnownGlobs),
		}
	}
	return nil
}

// Expired are the entries of the device, its type and every device that hold no more.
func (l *KnownFailures) Expired(device, kind string) (all []Known) {
	for _, d := range l.lists(device, kind) {
		for _, k := range d.entries {
			if k.expired {
				all = append(all, k)
			}
		}
	}
	return all
}

// lists are those that hold on a device, the nearest first.
func (l *KnownFailures) lists(device, kind string) (all []*knownList) {
	if l == nil {
		return nil
	}
	seen := map[string]bool{}
	for _, name := range []string{device, kind, AnyDevice} {
		if d := l.devices[name]; d != nil && !seen[name] {
			all = append(all, d)
		}
		seen[name] = true
	}
	return all
}

// glob matches a name with a pattern: * is any text, ? any one character. It takes at most the product of their
// lengths.
func glob(pattern, name string) bool {
	p, s := []rune(pattern), []rune(name)
	i, j, star, from := 0, 0, -1, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, from = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == s[j]):
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
