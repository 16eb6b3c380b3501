package lab

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/plan"
)

// JobMode is how a lab reads jobs: strictly, so that a typo is said and not left out.
const JobMode = schema.Strict

// servedConsole is the most bytes that a served job's console may print, a day's at 115200 baud: an artifact that
// prints for ever fills no disk.
const servedConsole = 1 << 30

// Executor is how this runner executes what it is assigned.
type Executor struct {
	Config *Config
	Logger *slog.Logger
	KVM    dut.KVM // probed once: it does not change while the host is up
}

// NewExecutor makes an executor of what the configuration says.
func NewExecutor(c *Config, logger *slog.Logger) *Executor {
	return &Executor{Config: c, Logger: logger, KVM: dut.ProbeOnce()}
}

// Targets are what the device files describe.
func (x *Executor) Targets() []lab.Target {
	var all []lab.Target
	for _, name := range slices.Sorted(maps.Keys(x.Config.Devices)) {
		d := x.Config.Devices[name]
		all = append(all, lab.Target{Name: d.Name, Type: d.Type, Tags: d.Tags, Trust: lab.Trust(d.Trust), Health: lab.Good})
	}
	return all
}

// Execute runs one assignment. The lease is the guest's id, so that whoever finds the folder finds the guest.
func (x *Executor) Execute(ctx context.Context, a lab.Assignment, dir string) (results.Results, error) {
	d := x.Config.Devices[a.Target]
	if d == nil {
		return results.Results{}, results.Failf(
			results.ClassInfrastructure, "run %s: this runner has no target %q", a.Run, a.Target,
		)
	}
	j, report := jobs.ParseJob(a.Job, JobMode)
	if err := report.Err(); err != nil {
		return results.Results{}, results.Failf(results.ClassJob, "read the job: %w", err)
	}
	known, kernel, err := readLists(a.Lists)
	if err != nil {
		return results.Results{}, err
	}
	t, err := dut.Guest(d, dut.GuestOptions{
		ID: a.Lease, NoKVM: j.Context.NoKVM, KVM: x.KVM, Logger: x.Logger,
	})
	if err != nil {
		return results.Results{}, err
	}
	res, err := runner.Run(ctx, runner.Options{
		ID: a.Lease, Attempt: a.Attempt, Job: j, Target: t, Dir: dir,
		Policy:        plan.Policy{FileRoots: x.Config.FileRoots, URLs: x.Config.URLs, ConsoleLimit: servedConsole},
		KnownFailures: known, Kernel: kernel, TestRetries: a.TestRetries,
		Logger: x.Logger.With("run", a.Run, "target", a.Target),
	})
	if res == nil {
		return results.Results{}, err
	}
	return *res, err
}

// Recover takes back what a crashed process left of a run. Its guest is found by the lease alone, which names the
// folder; any device file will do, and the run's own may be gone.
func (x *Executor) Recover(ctx context.Context, dir string) error {
	for _, d := range x.Config.Devices {
		t, err := dut.Guest(d, dut.GuestOptions{ID: filepath.Base(dir), Logger: x.Logger})
		if err != nil {
			return err
		}
		return runner.Recover(ctx, t, dir)
	}
	return fmt.Errorf("recover %s: this runner has no device", dir)
}
