package dut

import (
	"fmt"
	"testing"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/vmhost/qemuarg"
)

// What a device file says of the emulator is the lab's, whoever's job it stops.
func TestBlame(t *testing.T) {
	for source, want := range map[qemuarg.Origin]results.Class{
		qemuarg.FromDevice: results.ClassInfrastructure, qemuarg.FromJob: results.ClassJob,
	} {
		err := fmt.Errorf("start: %w", &ArgumentError{Source: string(source), Argument: `-append "x`, Reason: "not closed"})
		if got := results.ClassOf(blame(err)); got != want {
			t.Errorf("%s: class %q, want %q", source, got, want)
		}
	}
}
