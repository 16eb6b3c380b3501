package flow

import (
	"sync"
	"time"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/beside"
	"github.com/gantry-ci/gantry/runner/console"
)

// Session is what a boot leaves to the tests of its namespace. Its place stays the same from boot to boot: each fills
// it anew. The fields are the steps' alone, which run one after another; the methods may be called by any goroutine.
type Session struct {
	Shell    *console.Session
	Port     *beside.Record // the record of what the target sends beside its console; nil for none
	Exited   func() error   // how the target ended by itself; nil where it cannot
	Delay    time.Duration  // between typed characters of a test
	Prompted bool           // a test has ended, and nobody has taken the prompt after it

	mu      sync.Mutex
	suite   string
	name    string
	changes int  // how often the case changed
	bound   bool // what runs ends with the system
}

// Begin makes the session that of a shell that has just been opened. What was known of the shell before holds no more.
func (s *Session) Begin(shell *console.Session) { s.Shell, s.Prompted = shell, false }

// Log is what results call the log of the session's console: "" for console.log.
func (s *Session) Log() string { return results.LogOf(s.Shell.Console().Name()) }

// Exit is how the target ended by itself: nil while it runs, and where it cannot.
func (s *Session) Exit() error {
	if s.Exited == nil {
		return nil
	}
	return s.Exited()
}

// SetCase says which case is running, as far as the target tells; "", "" between cases.
func (s *Session) SetCase(suite, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.suite, s.name = suite, name
	s.changes++
}

// Case is the one that SetCase said.
func (s *Session) Case() (suite, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.suite, s.name
}

// Progress changes whenever the running test goes on to another case.
func (s *Session) Progress() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes
}

// Bind says that a program runs on the system which ends with it, so that a restart, even an ordered one, breaks the
// step; the function returned says that it has ended.
func (s *Session) Bind() (free func()) {
	set := func(to bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.bound = to
	}
	set(true)
	return func() { set(false) }
}

// Bound reports whether such a program runs.
func (s *Session) Bound() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bound
}
