package flow

import (
	"time"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/beside"
	"github.com/gantry-ci/gantry/runner/console"
)

// Session is what a boot leaves to the tests of its namespace. It stays in its place from boot to boot, and each fills
// it anew. Only steps, which run one after another, may use the fields, Begin, Log, Exit and Now; the others may be
// called from several goroutines.
type Session struct {
	Shell    *console.Session
	Port     *beside.Record // the record of what the target sends beside its console; nil for none
	Exited   func() error   // how the target ended by itself; nil where it cannot
	Delay    time.Duration  // between typed characters of a test
	Prompted bool           // a test has ended, and the prompt after it was not read yet

	running
}

// Begin sets the shell of a console that has just been opened.
func (s *Session) Begin(shell *console.Session) {
	s.Shell, s.Prompted = shell, false
	s.clear()
}

// Log is what results call the log of the session's console: "" for console.log.
func (s *Session) Log() string { return results.LogOf(s.Shell.Console().Name()) }

// Exit is how the target ended by itself: nil while it runs, and where it cannot.
func (s *Session) Exit() error {
	if s.Exited == nil {
		return nil
	}
	return s.Exited()
}

// Now is the line of the session's console that is printed next.
func (s *Session) Now() int {
	c := s.Shell.Console()
	return c.LineAt(c.Size())
}
