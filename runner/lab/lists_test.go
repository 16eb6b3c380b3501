package lab

import (
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

// A mistake in a served run's list is the job's failure, and says where it is.
func TestReadLists(t *testing.T) {
	for name, c := range map[string]struct {
		lists lab.Lists
		want  string
	}{
		"none": {lab.Lists{}, ""},
		"good": {lab.Lists{KnownFailures: []byte("qemu: []"), KernelLog: []byte("allow: []")}, ""},
		"known failures": {
			lab.Lists{KnownFailures: []byte("qemu:\n- {test: x/y}")}, "read the list of known failures: 2:3: qemu[0].comment",
		},
		"kernel messages":  {lab.Lists{KernelLog: []byte("alow: []")}, "read the list of kernel messages: 1:1: alow"},
		"hostile anything": {lab.Lists{KernelLog: []byte("\xff\x00[{")}, "read the list of kernel messages: "},
	} {
		t.Run(name, func(t *testing.T) {
			known, kernel, err := readLists(c.lists)
			switch {
			case c.want == "" && (err != nil || known == nil || kernel == nil):
				t.Errorf("refused: %v", err)
			case c.want != "" &&
				(err == nil || !strings.HasPrefix(err.Error(), c.want) || results.ClassOf(err) != results.ClassJob):
				t.Errorf("got %v (%s), want %q", err, results.ClassOf(err), c.want)
			}
		})
	}
}
