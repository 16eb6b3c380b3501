package jobs_test

import (
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/jobs"
)

// TestDeviceResults asks for a results port in both forms of device files.
func TestDeviceResults(t *testing.T) {
	const lava = "constants: {%s}\nparameters: {}\nactions: {deploy: {methods: {}}, boot: {methods: {}, connections: {}}}\ntimeouts: {actions: {}, connections: {}}\n"
	for src, want := range map[string]string{
		shortDevice:                                                     "",
		shortDevice + "results: virtio-serial\n":                        jobs.ResultsVirtioSerial,
		shortDevice + "results: telepathy\n":                            "error",
		strings.Replace(lava, "%s", "", 1):                              "",
		strings.Replace(lava, "%s", "gantry-results: virtio-serial", 1): jobs.ResultsVirtioSerial,
		strings.Replace(lava, "%s", "gantry-results: true", 1):          "error",
	} {
		got := "error"
		d, r := jobs.ParseDevice([]byte(src))
		if r.Valid() {
			got = d.Results
		}
		if got != want {
			t.Errorf("%s\nasks for %q, want %q: %v", src, got, want, r.Err())
		}
	}
}
