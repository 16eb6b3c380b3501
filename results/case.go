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

// Noted tells whether the case has the note.
func (c Case) Noted(note string) bool { return slices.Contains(strings.Split(c.Note, ", "), note) }

// AddNote adds a note to those the case has.
func (c *Case) AddNote(note string) {
	switch {
	case c.Note == "":
		c.Note = note
	case !c.Noted(note):
		c.Note += ", " + note
	}
}

// dropNote takes a note away.
func (c *Case) dropNote(note string) {
	notes := slices.DeleteFunc(strings.Split(c.Note, ", "), func(n string) bool { return n == note })
	c.Note = strings.Join(notes, ", ")
}

// Fails tells whether the case fails its run: it failed and is not known to, or passed though it is.
func (c Case) Fails() bool {
	switch c.Result {
	case Fail:
		return !c.Noted(NoteKnown)
	case Pass:
		return c.Noted(NoteUnexpectedPass)
	}
	return false
}

// again is the case after its definition was run again with the result d. One pass is enough, and then the case is
// flaky; of other results the more telling one stays.
func (c Case) again(d Case) Case {
	if c.Suite == PipelineSuite {
		return d // the definition as a whole is as its last run
	}
	if c.Result == d.Result {
		if c.Noted(NoteFlaky) {
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

// rank orders results by what they tell of a case that has several.
func rank(result string) int {
	return slices.Index([]string{Pass, Fail, Unknown, Skip, Missing}, result)
}
