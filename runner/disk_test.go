package runner_test

import (
	"log/slog"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/plan"
)

// TestFullDisk gives runs too little room, for the images and for the record: the lab's fault, said, and cleaned up.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	root := images(t)
	for _, tt := range []struct{ name, size, want string }{
		{"no room for the kernel", "8m", "no space left on device"},
		{"no room for the overlay", "15500k", "no space left on device"},
		{"no room for the record", "4k", "no space left on device"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+tt.size); err != nil {
				t.Skip("cannot mount a small disk here:", err)
			}
			t.Cleanup(func() {
				if err := unix.Unmount(dir, 0); err != nil {
					t.Error(err)
				}
			})
			j, _ := jobs.ParseJob(source(t, nil), schema.Strict)
			d, _ := jobs.ParseDevice([]byte(device))
			tg, err := dut.New(d, dut.Options{ID: "test-full-disk"})
			if err != nil {
				t.Fatal(err)
			}
			res, err := runner.Run(t.Context(), runner.Options{
				ID: "7", Attempt: 1, Job: j, Target: tg, Dir: dir, Policy: plan.Policy{FileRoots: []string{root}},
				Logger: slog.New(slog.DiscardHandler),
			})
			if res == nil {
				t.Fatal(err)
			}
			check(t, res, verdict{"incomplete", results.ClassInfrastructure, tt.want, ""})
		})
	}
}
