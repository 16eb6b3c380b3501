package cli

import (
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/jobs/rpc"
)

// A mistake in a served run's list is the job's failure, and says where it is.
func TestRepositoryLists(t *testing.T) {
	for name, c := range map[string]struct {
		lists rpc.Lists
		want  string
	}{
		"none":             {rpc.Lists{}, ""},
		"good":             {rpc.Lists{KnownFailures: []byte("qemu: []"), KernelLog: []byte("allow: []")}, ""},
		"known failures":   {rpc.Lists{KnownFailures: []byte("qemu:\n- {test: x/y}")}, "read the list of known failures: 2:3: qemu[0].comment"},
		"kernel messages":  {rpc.Lists{KernelLog: []byte("alow: []")}, "read the list of kernel messages: 1:1: alow"},
		"hostile anything": {rpc.Lists{KernelLog: []byte("\xff\x00[{")}, "read the list of kernel messages: "},
	} {
		t.Run(name, func(t *testing.T) {
			known, kernel, err := repositoryLists(c.lists)
			switch {
			case c.want == "" && (err != nil || known == nil || kernel == nil):
				t.Errorf("refused: %v", err)
			case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want) || jobs.ClassOf(err) != jobs.ClassJob):
				t.Errorf("got %v (%s), want %q", err, jobs.ClassOf(err), c.want)
			}
		})
	}
}
