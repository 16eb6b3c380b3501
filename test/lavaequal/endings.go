package lavaequal

import (
	"regexp"
	"testing"
)

// ending is how a job must end on each: expressions of the verdict's line.
type ending struct {
	lava, gantry string
	sooner       bool // gantry must not wait for the timeout that LAVA waits for, where LAVA runs beside it
}

// endings are of the jobs that are about it.
func endings() map[string]ending {
	return map[string]ending{
		// The kernel's message took failures away.
		"cut": {lava: `^pass$`, gantry: `^fail \(test: 0_cut/in-kind failed, and 3 more\)$`},
		"cut-reference": {
			lava: `^fail \(Test: Invalid use of TESTREFERENCE\)$`, gantry: `^fail \(test: 0_cut/after failed, and 1 more\)$`,
		},
		"damage":       {lava: `^pass$`, gantry: `^fail \(test: `},
		"failing-step": {lava: `^pass$`, gantry: `^fail \(test: .*0_stops`},
		"panic": {
			lava:   `^fail \(Test: lava-test-shell timed out after 20 seconds\)$`,
			gantry: `^incomplete \(test: .*kernel panic: sysrq triggered crash`, sooner: true,
		},
		"reset": {
			lava:   `^fail \(Test: lava-test-shell timed out after 20 seconds\)$`,
			gantry: `^incomplete \(test: .*unexpected kernel reboot`, sooner: true,
		},
		"poweroff": {
			lava: `^fail \(Infrastructure: Connection closed\)$`, gantry: `^incomplete \(test: .*the guest shut itself down`,
		},
		// Both blame the lab where the job says so.
		"interactive-answers": {
			lava:   `^fail \(Infrastructure: the relay is broken\)$`,
			gantry: `^incomplete \(infrastructure: .*the relay is broken`,
		},
		"raise":        {lava: `^fail \(Test: nothing-left-to-test\)$`, gantry: `^incomplete \(test: .*nothing-left-to-test`},
		"timeout-skip": {lava: `^pass$`, gantry: `^incomplete \(timeout: `},
	}
}

func (e ending) check(t *testing.T, lava, gantry Outcome) {
	t.Helper()
	if !regexp.MustCompile(e.lava).MatchString(lava.Verdict) {
		t.Errorf("LAVA's verdict is %q, want %s", lava.Verdict, e.lava)
	}
	if !regexp.MustCompile(e.gantry).MatchString(gantry.Verdict) {
		t.Errorf("gantry's verdict is %q, want %s", gantry.Verdict, e.gantry)
	}
	if e.sooner && lava.Took > 0 && gantry.Took >= lava.Took/2 {
		t.Errorf("gantry took %s, LAVA %s", gantry.Took, lava.Took)
	}
}
