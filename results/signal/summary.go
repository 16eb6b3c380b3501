package signal

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gantry-ci/gantry/results"
)

// Summary is what a stage came to.
type Summary struct {
	Cases       int // cases emitted, the missing ones and those of the suite lava left out
	Missing     int // missing cases emitted
	Records     int // numbered records known
	Recovered   int // of these, those that only the manifest had
	Device      int // of these, those that the results device had first
	Reassembled int // of these, those put together again from a split line
	Damaged     int // trailers whose signal could not be put together
	Unsequenced int // cases that tests printed by themselves
	Late        int // cases that processes of earlier runs reported
	Copies      int // signals not counted because they are copies or traces of others

	NoManifest  bool     // our helpers ran, and their manifest never came whole
	Exit        bool     // <LAVA_TEST_RUNNER EXIT> was seen
	Manifest    bool     // the manifest's last line was seen
	InstallFail bool     // an install step failed
	Raise       string   // the message of lava-test-raise
	Early       []string // runs that ended before their last step, with why
	Unfinished  []string // runs that started and did not end
	Truncated   bool     // a limit was reached and output after it dropped
}

// Complete says that every result that was announced, expected or numbered is there.
func (s *Summary) Complete() bool {
	return s.Missing == 0 && !s.Truncated && !s.NoManifest && len(s.Unfinished) == 0
}

// Err is what the stage's step ends with: nil when every run came to its end and all results are there, whatever
// the results are. Runs that ended early and raises are class test, failing install steps class job; lost results
// have no class of their own, since the caller may know why the output stopped; without a cause they are the lab's.
func (s *Summary) Err() error {
	switch {
	case s.Raise != "":
		return results.Failf(results.ClassTest, "the test raised: %s", s.Raise)
	case s.InstallFail:
		return results.Failf(results.ClassJob, "an install step failed")
	case len(s.Early) > 0:
		return results.Failf(results.ClassTest, "%s", strings.Join(s.Early, "; "))
	case !s.Complete():
		return results.Blame(results.ClassInfrastructure, s.Lost(nil))
	}
	return nil
}

// Lost says what is missing, and that cause, which may be nil, is why. It is cause when nothing is.
func (s *Summary) Lost(cause error) error {
	if reported := (*results.MissingError)(nil); s.Complete() || errors.As(cause, &reported) {
		return cause
	}
	what := fmt.Sprintf("%d results are missing", s.Missing)
	switch {
	case s.Truncated:
		what = "the output went beyond the limits, and the rest was dropped"
	case len(s.Unfinished) > 0:
		what = strings.Join(s.Unfinished, ", ") + " did not end"
	case s.NoManifest && s.Missing == 0:
		what = "the manifest never came: results at the end may be missing"
	}
	return &results.MissingError{What: what, Cause: cause}
}
