// Package runner executes jobs. Run is the one path: gantry run calls it, and the lab's agent calls it and has an
// uploader follow the folder it writes.
package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/gantry-ci/gantry/internal/atomicfile"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/kernlog"
	"github.com/gantry-ci/gantry/runner/boot"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/deploy"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/runner/netboot"
	"github.com/gantry-ci/gantry/runner/plan"
	"github.com/gantry-ci/gantry/runner/testshell"
)

// Methods is all that gantry executes, for a plan that is not run.
func Methods() []plan.Method { return methods(boot.Options{}, 0) }

func methods(o boot.Options, testRetries int) []plan.Method {
	return slices.Concat(deploy.Methods(), boot.Methods(o), testshell.Methods(testRetries))
}

// Options are one attempt at a run.
type Options struct {
	ID      string // of the attempt: letters, digits, "-" and "_"; names its guests and its folder in the guest
	Attempt int    // 1 or 2
	Job     *jobs.Job
	Target  *dut.Target
	Host    plan.Host // what this host serves to targets
	Dir     string    // its folder, which exists
	Policy  plan.Policy
	// KnownFailures are the cases that may fail; nil for none.
	KnownFailures *results.KnownFailures
	// Kernel are the kernel messages that the repository allows or denies; nil for none.
	Kernel *kernlog.List
	// Symbols is the path of a vmlinux: stacks are decoded with it if it is of the same build as the kernel that boots;
	// empty for the one that the job names, if it does.
	Symbols string
	// TestRetries is how often the definitions of failed cases are run again; what changes is flaky.
	TestRetries int
	Logger      *slog.Logger
	Observe     func(results.Event) // called with each event, in order; may be nil
}

// Run executes a job, and writes all that becomes known to the folder, event by event; the results are the fold of
// these events. The error is about the record only: how the run went is the results' verdict.
func Run(ctx context.Context, o Options) (*results.Results, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	rec, err := newRecord(o, cancel)
	if err != nil {
		return nil, results.Blame(results.ClassInfrastructure, err)
	}
	rec.emit(results.Event{Start: &results.Start{Job: o.Job.Name, Device: o.Target.Name, Attempt: o.Attempt}})
	o.warnExpired(rec)
	fail := attempt(ctx, o, rec)
	if e := rec.failed(); e != nil {
		fail = errors.Join(e, fail)
	}
	v := rec.decide(fail)
	rec.emit(results.Event{Verdict: &v})
	return rec.close()
}

// attempt plans the job, executes the plan, and undoes all effects.
func attempt(ctx context.Context, o Options, rec *record) (err error) {
	records, kernels := console.NewRecords(o.Dir, o.Policy.ConsoleLimit), boot.NewKernels(o.wantSymbols())
	p, err := o.plan(rec, methods(boot.Options{Records: records, Kernels: kernels, List: o.Kernel}, o.TestRetries))
	if err != nil {
		return err
	}
	if err := records.Open(""); err != nil {
		return err
	}
	syms, err := newSymbols(o, rec)
	if err != nil {
		return errors.Join(err, records.Close())
	}
	closeAll := func() error { return errors.Join(records.Close(), kernels.Close(), syms.close()) }
	jr, err := openJournal(o.Dir, o.Target.Undoers)
	if err != nil {
		return results.Blame(results.ClassInfrastructure, errors.Join(err, closeAll()))
	}
	run := &plan.Run{ID: o.ID, Dir: o.Dir, Journal: jr, Emit: rec.emit, Logger: o.Logger}
	defer func() {
		// The run's failure comes first: one of the clean-up does not hide it.
		e := jr.Rollback(ctx, 0)
		syms.decode(ctx, jr, kernels) // after all findings, and with the target off
		if e = errors.Join(e, jr.Rollback(ctx, 0), jr.Close(), closeAll()); e != nil {
			err = results.Blame(results.ClassInfrastructure, errors.Join(err, fmt.Errorf("finalize: %w", e)))
		}
	}()
	err = p.Execute(ctx, run)
	rec.skipped = run.Skipped()
	return err
}

// plan makes the plan, and writes it to the folder.
func (o Options) plan(rec *record, methods []plan.Method) (*plan.Plan, error) {
	p, err := plan.Make(plan.Options{
		Job: o.Job, Target: o.Target, Host: o.Host, Policy: o.Policy, Methods: methods, RunID: o.ID,
	})
	if err != nil {
		return nil, err
	}
	out, err := p.YAML()
	if err == nil {
		err = atomicfile.WriteBytes(filepath.Join(o.Dir, PlanFile), 0o644, out)
	}
	if err != nil {
		return nil, results.Failf(results.ClassInfrastructure, "write the plan: %w", err)
	}
	for _, remark := range p.Remarks() {
		rec.emit(results.Event{Log: &results.Log{Level: "info", Message: remark}})
	}
	return p, nil
}

// Recover takes back what a crashed runner left of a run in the folder dir; the run is then retried or reported. It may
// be called for a run that ended well. Target are the undoers of the run's own target: dut.Undoers.
func Recover(ctx context.Context, dir string, target journal.Undoers) error {
	if _, err := os.Stat(filepath.Join(dir, journalFile)); errors.Is(err, os.ErrNotExist) {
		return nil // crashed before its first effect
	}
	jr, err := openJournal(dir, target)
	if err != nil {
		return err
	}
	return errors.Join(jr.Rollback(ctx, 0), jr.Close())
}

// openJournal opens the journal of a run with all that can be taken back: each room brings its own.
func openJournal(dir string, target journal.Undoers) (*journal.Journal, error) {
	all, err := journal.Merge(deploy.Undoers(), netboot.Undoers(), target)
	if err != nil {
		return nil, results.Blame(results.ClassBug, err)
	}
	return journal.Open(filepath.Join(dir, journalFile), all)
}

// warnExpired records which entries of the lists have expired: they may be why the run fails.
func (o Options) warnExpired(rec *record) {
	warn := func(format string, a ...any) {
		rec.emit(results.Event{Log: &results.Log{Level: "warning", Message: fmt.Sprintf(format, a...)}})
	}
	for _, k := range o.KnownFailures.Expired(o.Target.Name, o.Job.DeviceType) {
		warn(
			"the known failure %s (line %d of the list) has expired on %s", k.Test, k.Place.Line, k.Until,
		)
	}
	if o.Kernel == nil {
		return
	}
	for _, e := range o.Kernel.Expired() {
		warn(
			"the kernel message %q (line %d of the list) has expired on %s", e.Match, e.Place.Line,
			e.Until,
		)
	}
}
