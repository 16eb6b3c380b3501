package results

import (
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/internal/plaintext"
)

// MaxName is the most of a name or a message that readers of test output keep, in bytes.
const MaxName = 1 << 10

// Line makes what a target printed fit for the name or the message of a case: one line of at most MaxName bytes.
func Line(s string) string { return plaintext.Line(s, MaxName) }

// Notes of cases that the verdict knows.
const (
	NoteKnown          = "known failure"   // failed, as the list says it does
	NoteUnexpectedPass = "unexpected pass" // passed, though the list says it fails
	NoteFlaky          = "flaky"           // failed in one run of its definition and passed in another
)

// Name is the case's in messages and lists: "0_smoke/uname", or "0_smoke/set/uname" in a set.
func (c Case) Name() string {
	if c.Set != nil {
		return c.Suite + "/" + *c.Set + "/" + c.Case
	}
	return c.Suite + "/" + c.Case
}

// HasNote reports whether the case has the note.
func (c Case) HasNote(note string) bool { return slices.Contains(strings.Split(c.Note, ", "), note) }

// AddNote adds a note to those the case has.
func (c *Case) AddNote(note string) {
	switch {
	case c.Note == "":
		c.Note = note
	case !c.HasNote(note):
		c.Note += ", " + note
	}
}

// dropNote removes a note.
func (c *Case) dropNote(note string) {
	notes := slices.DeleteFunc(strings.Split(c.Note, ", "), func(n string) bool { return n == note })
	c.Note = strings.Join(notes, ", ")
}

// Fails reports whether the case fails its run: it failed and is not known to, or passed though it is.
func (c Case) Fails() bool {
	switch c.Result {
	case Fail:
		return !c.HasNote(NoteKnown)
	case Pass:
		return c.HasNote(NoteUnexpectedPass)
	}
	return false
}

// again is the case after its definition was run again with the result d. One pass is enough, and then the case is
// flaky; of other results the worse one stays: fail, unknown, skip, missing.
func (c Case) again(d Case) Case {
	if c.Suite == PipelineSuite {
		return d // the definition as a whole is as its last run
	}
	if c.Result == d.Result {
		if c.HasNote(NoteFlaky) {
			d.AddNote(NoteFlaky)
			if d.Message == "" {
				d.Message = c.Message
			}
		}
		return d
	}
	better, worse := c, d
	if rank(d.Result) < rank(c.Result) {
		better, worse = d, c
	}
	better.Try = d.Try
	if better.Result == Pass {
		better.dropNote(NoteUnexpectedPass)
		better.AddNote(NoteFlaky)
		if better.Message == "" {
			better.Message = strings.TrimSuffix("another run of it: "+worse.Result+": "+worse.Message, ": ")
		}
	}
	return better
}

// rank orders the results of a case that has several: the first counts.
func rank(result string) int {
	return slices.Index([]string{Pass, Fail, Unknown, Skip, Missing}, result)
}
