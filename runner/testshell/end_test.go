package testshell

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/signal"
)

// TestDecide holds what a run makes of its step, for each end and what may come with it.
func TestDecide(t *testing.T) {
	broken := results.Failf(results.ClassInfrastructure, "console closed: EOF")
	timeout := fmt.Errorf("the step: %w", context.DeadlineExceeded)
	operator := results.Failf(results.ClassJob, "lava-wait x: nobody sends the message")
	off := results.Failf(results.ClassJob, "guest ended with status 0")
	host := results.Failf(results.ClassInfrastructure, "QEMU was killed: the host is out of memory")
	raised := signal.Summary{Exit: true, Manifest: true, Raise: "no disk"}
	install := signal.Summary{Exit: true, Manifest: true, InstallFail: true}
	early := signal.Summary{Exit: true, Manifest: true, Early: []string{"0_a: the run ended before its last step"}}
	whole := signal.Summary{Exit: true, Manifest: true}
	gap := signal.Summary{Exit: true, Manifest: true, Missing: 2}
	none := signal.Summary{Exit: true, NoManifest: true}
	lost := func(s signal.Summary) signal.Summary { s.Missing = 1; return s }
	for _, tt := range []struct {
		name    string
		outcome outcome
		message string
		class   results.Class
		goesOn  bool // the job does
		missing bool
	}{
		{
			"all is well",
			outcome{end: endExit, summary: whole},
			"<nil>", "", false, false,
		},
		{
			"the device brought all",
			outcome{end: endQuiet, summary: whole},
			"<nil>", "", false, false,
		},
		{
			"a guest that is off in the end",
			outcome{end: endExit, summary: whole, guest: off},
			"<nil>", "", false, false,
		},
		{
			"a definition ended early",
			outcome{end: endExit, summary: early},
			"0_a: the run ended before its last step", results.ClassTest, true, false,
		},
		{
			"results are missing",
			outcome{end: endManifest, summary: gap},
			"2 results are missing", results.ClassInfrastructure, true, true,
		},
		{
			"no manifest",
			outcome{end: endNoManifest, summary: none},
			"the manifest never came: results at the end may be missing", results.ClassInfrastructure, true, true,
		},
		{
			"early, and missing",
			outcome{end: endExit, summary: lost(early)},
			"0_a: the run ended before its last step (1 results are missing)", results.ClassTest, true, true,
		},
		{
			"a test raised",
			outcome{end: endRaised, summary: raised},
			"the test raised: no disk", results.ClassTest, false, false,
		},
		{
			"a test raised, and results are missing",
			outcome{end: endRaised, summary: lost(raised)},
			"the test raised: no disk (1 results are missing)", results.ClassTest, false, true,
		},
		{
			"an install step failed",
			outcome{end: endExit, summary: install},
			"an install step failed", results.ClassJob, false, false,
		},
		{
			"a call that nobody answers",
			outcome{end: endExit, summary: whole, operator: operator},
			operator.Error(), results.ClassJob, false, false,
		},
		{
			"a call that nobody answers, and a test raised",
			outcome{end: endRaised, summary: raised, operator: operator},
			operator.Error(), results.ClassJob, false, false,
		},
		{
			"the console broke off",
			outcome{end: endConsole, cause: broken, summary: gap},
			"console closed: EOF (2 results are missing)", results.ClassInfrastructure, false, true,
		},
		{
			"the console broke off after all was reported",
			outcome{end: endConsole, cause: broken, summary: whole},
			"console closed: EOF", results.ClassInfrastructure, false, false,
		},
		{
			"the guest ended",
			outcome{end: endConsole, cause: broken, summary: gap, guest: off},
			"guest ended with status 0 during the test (2 results are missing)", results.ClassTest, false, true,
		},
		{
			"the host ended the guest",
			outcome{end: endConsole, cause: broken, summary: whole, guest: host},
			host.Error() + " during the test (console closed: EOF)", results.ClassInfrastructure, false, false,
		},
		{
			"a call that nobody answers, and the console broke off",
			outcome{end: endConsole, cause: broken, summary: whole, operator: operator},
			"console closed: EOF", results.ClassInfrastructure, false, false,
		},
		{
			"the time ran out",
			outcome{end: endStopped, cause: timeout, summary: gap},
			"the step: context deadline exceeded (2 results are missing)", results.ClassBug, false, true,
		},
		{
			"the time ran out, and the guest ended",
			outcome{end: endStopped, cause: timeout, summary: whole, guest: off},
			timeout.Error(), results.ClassBug, false, false,
		},
		{
			"the lab stopped it, and the guest ended",
			outcome{end: endStopped, cause: broken, summary: whole, guest: off},
			"guest ended with status 0 during the test", results.ClassTest, false, false,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			goOn, err := decide(&tt.outcome)
			if got := fmt.Sprint(err); got != tt.message {
				t.Errorf("got %q, want %q", got, tt.message)
			}
			if got := results.ClassOf(err); got != tt.class {
				t.Errorf("class %q, want %q", got, tt.class)
			}
			missing := (*results.MissingError)(nil)
			if got := errors.As(err, &missing); got != tt.missing {
				t.Errorf("results are missing: %v, want %v", got, tt.missing)
			}
			if got := err != nil && goOn; got != tt.goesOn {
				t.Errorf("the job goes on: %v, want %v", got, tt.goesOn)
			}
		})
	}
}
