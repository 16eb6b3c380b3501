package lab

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
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
	KVM    dut.KVM     // probed once: it does not change while the host is up
	Makers []dut.Maker // of targets; nil for gantry's own
	Host   plan.Host   // what this host serves to targets, set by Listen

	end func() error // of what Listen opened
}

// NewExecutor makes an executor of what the configuration says.
func NewExecutor(c *Config, logger *slog.Logger) *Executor {
	return &Executor{Config: c, Logger: logger, KVM: dut.ProbeOnce()}
}

// Listen opens the services of the configuration's section host, for the runs of all targets, until Close.
func (x *Executor) Listen(ctx context.Context) (err error) {
	x.Host, x.end, err = x.Config.Host.Listen(ctx, x.Logger)
	return err
}

// Close ends the services, and waits for their requests. No run may be executed any more.
func (x *Executor) Close() error {
	if x.end == nil {
		return nil
	}
	return x.end()
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
	t, err := dut.New(d, x.target(a))
	if err != nil {
		return results.Results{}, err
	}
	res, err := runner.Run(ctx, runner.Options{
		ID: a.Lease, Attempt: a.Attempt, Job: j, Target: t, Host: x.Host, Dir: dir,
		Policy:        plan.Policy{FileRoots: x.Config.FileRoots, URLs: x.Config.URLs, ConsoleLimit: servedConsole},
		KnownFailures: known, Kernel: kernel, TestRetries: a.TestRetries,
		Logger: x.Logger.With("run", a.Run, "target", a.Target),
	})
	if res == nil {
		return results.Results{}, err
	}
	return *res, err
}

// Recover takes back what a crashed process left of a run, by the identity of each thing: a guest, a path, an outlet.
// The device file of its target may be another one meanwhile, or gone.
func (x *Executor) Recover(ctx context.Context, a lab.Assignment, dir string) error {
	undoers, err := dut.Undoers(x.target(a))
	if err != nil {
		return results.Blame(results.ClassBug, err)
	}
	if err := runner.Recover(ctx, dir, undoers); err != nil {
		return fmt.Errorf("recover run %s on %s: %w", a.Run, a.Target, err)
	}
	return nil
}

// target is what an assignment's target is made of. The lease is the attempt's id.
func (x *Executor) target(a lab.Assignment) dut.Options {
	return dut.Options{ID: a.Lease, KVM: x.KVM, Logger: x.Logger, Makers: x.Makers}
}
