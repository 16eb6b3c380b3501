package testshell

import (
	"errors"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/signal"
)

// end is why the output of a run was over.
type end int

// The ends. Where one read of the console brings several, the first of this list counts.
const (
	endNone       end = iota // it is not over
	endRaised                // a test has ended the job's tests: lava-test-raise
	endExit                  // lava-test-runner has printed its last line
	endManifest              // the manifest has come, where nothing else is waited for
	endQuiet                 // the manifest has come beside the console, and the console says no more
	endNoManifest            // the manifest has not come in time, where nothing else is waited for
	endConsole               // the console broke off: neither read nor typed
	endStopped               // the step timed out, was canceled, or was stopped by the console's watcher
)

// errQuiet ends a wait for something that may come, or not.
var errQuiet = errors.New("nothing more came")

// outcome is all that decides what a run makes of its step.
type outcome struct {
	end      end
	cause    error          // of endConsole and endStopped; nil for the other ends
	summary  signal.Summary // of what was reported
	operator error          // the first call of a test that could not be answered
	guest    error          // how the guest ended by itself; nil while it runs
}

// broken says that the output broke off before its end.
func (e end) broken() bool { return e >= endConsole }

// decide is the error that the step ends with, nil where all is well, and whether the job goes on after it. The first
// of these that holds counts:
//
//  1. The output broke off. Where the console is to blame for that, but the guest has ended, the guest is the reason.
//  2. A call of a test could not be answered.
//  3. A test raised, or an install step failed: the job's other tests make no sense.
//  4. Definitions ended early, or results are missing: the stage came to its end, and the job goes on, as in LAVA.
//
// Whatever it is, results that are missing make it a MissingError.
func decide(o *outcome) (goOn bool, err error) {
	sum := &o.summary
	switch {
	case o.end.broken():
		err = brokenOff(o.cause, o.guest)
	case o.operator != nil:
		err = o.operator
	default:
		err, goOn = sum.Err(), sum.Raise == "" && !sum.InstallFail
	}
	return goOn, sum.Lost(err)
}

// brokenOff is why output broke off. That of a guest which has ended says nothing about the lab, unless the guest's own
// end does: the test did it, or the code under test.
func brokenOff(cause, guest error) error {
	switch {
	case guest == nil || results.ClassOf(cause) != results.ClassInfrastructure:
		return cause
	case results.ClassOf(guest) == results.ClassInfrastructure:
		return results.Failf(results.ClassInfrastructure, "%w during the test (%w)", guest, cause)
	}
	return results.Failf(results.ClassTest, "%v during the test", guest)
}
