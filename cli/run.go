package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/jobs/config"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/kernlog"
	"github.com/gantry-ci/gantry/runner"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/plan"
)

type runCmd struct {
	Device    string `required:"" help:"Device file, or the name of a built-in one (qemu-x86_64)."`
	OutputDir string `required:"" help:"Where the run leaves its files. Made if missing; it must not hold a run already."`
	Lenient   bool   `help:"Let unknown keys of the job through, as LAVA's server does."`
	Job       string `arg:"" help:"Job definition."`

	Symbols       string `placeholder:"VMLINUX" help:"Decodes stacks, if it is of the same build as the booted kernel."`
	RetryTests    int    `placeholder:"N" help:"How often the definitions of failed cases are run again."`
	KernelLog     string `placeholder:"FILE" help:"List of the kernel messages that are allowed or denied."`
	KnownFailures string `placeholder:"FILE" help:"List of the cases that are known to fail."`

	hostFlags
}

// Run runs the operator's own job: host files and extra emulator options are allowed.
func (c *runCmd) Run(ctx context.Context, e *env) (err error) {
	j, t, err := e.load(c.Job, c.Device, mode(c.Lenient))
	if err != nil {
		return err
	}
	known, err := readList(e, c.KnownFailures, results.ParseKnownFailures)
	if err != nil {
		return err
	}
	kernel, err := readList(e, c.KernelLog, kernlog.ParseList)
	if err != nil {
		return err
	}
	if err := newFolder(c.OutputDir); err != nil {
		return err
	}
	host, end, err := c.config().Listen(ctx, e.logger)
	if err != nil {
		return usagef("%w", err)
	}
	defer func() { err = errors.Join(err, end()) }()
	watch := newProgress(e)
	res, err := runner.Run(ctx, runner.Options{
		ID: runID(), Attempt: 1, Job: j, Target: t, Host: host, Dir: c.OutputDir,
		Policy: plan.Policy{Operator: true}, KnownFailures: known, Kernel: kernel, Symbols: c.Symbols,
		TestRetries: c.RetryTests, Logger: e.logger, Observe: watch.event,
	})
	watch.end()
	return e.report(res, err, c.OutputDir)
}

// report prints the results; what it returns is the exit code, and err where there are none.
func (e *env) report(res *results.Results, err error, dir string) error {
	if res == nil {
		return err
	}
	if e := e.printResults(res, dir); e != nil {
		err = errors.Join(err, e)
	}
	if err != nil {
		_, _ = fmt.Fprintln(e.stderr, "gantry:", err)
		if code := res.ExitCode(); code != exitOK {
			return exit(code)
		}
		return exit(results.Verdict{Class: results.ClassInfrastructure}.ExitCode()) // a pass that could not be printed
	}
	return exit(res.ExitCode())
}

// load reads a job and makes the target that the device file describes.
func (e *env) load(job, device string, m schema.Mode) (*jobs.Job, *dut.Target, error) {
	d, err := e.device(device)
	if err != nil {
		return nil, nil, err
	}
	src, err := readFile(job)
	if err != nil {
		return nil, nil, usagef("%w", err)
	}
	if ok, err := e.checkFile(job, config.KindJob, src, m); !ok {
		return nil, nil, errors.Join(err, exit(results.Verdict{Class: results.ClassJob}.ExitCode()))
	}
	j, report := jobs.ParseJob(src, m)
	if err := report.Err(); err != nil {
		return nil, nil, err
	}
	t, err := dut.New(d, dut.Options{ID: attemptID(), Operator: true, KVM: dut.ProbeOnce(), Logger: e.logger})
	if err != nil {
		return nil, nil, usagef("%w", err)
	}
	return j, t, nil
}

// newFolder creates dir, unless it exists and holds no run: two runs in one folder would mix their records.
func newFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return usagef("make the output folder: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, results.EventsFile)); err == nil {
		return usagef("make the output folder: %s holds a run already", dir)
	}
	return nil
}

// runID names the run's folder in the guest: /lava-ID. LAVA's are numbers, and some tests expect one.
func runID() string { return strconv.FormatInt(time.Now().Unix()%1_000_000, 10) }

// attemptID is unique on this host: guests are found by it.
func attemptID() string {
	return fmt.Sprintf("local-%d-%d", os.Getpid(), time.Now().UnixNano()%1_000_000)
}

// caseLine is a case in a line of text.
func caseLine(c results.Case) string {
	line := fmt.Sprintf("%-8s %s", c.Result, c.Name())
	if c.Measurement != nil {
		line += " " + c.Amount()
	}
	if c.Units != nil {
		line += " " + *c.Units
	}
	if c.Message != "" {
		line += ": " + c.Message
	}
	if c.Note != "" {
		line += " (" + strings.TrimSuffix(c.Note+": "+c.Known, ": ") + ")"
	}
	return line
}

// printResults prints cases, findings and the verdict.
func (e *env) printResults(res *results.Results, dir string) error {
	if e.json {
		return json.NewEncoder(e.stdout).Encode(res)
	}
	for _, c := range res.Cases {
		if c.Suite == results.PipelineSuite {
			continue
		}
		if _, err := fmt.Fprintln(e.stdout, caseLine(c)); err != nil {
			return err
		}
	}
	for _, f := range res.Findings {
		if _, err := fmt.Fprintf(
			e.stdout, "kernel   %s:%d: %s\n", filepath.Join(dir, f.LogName()), f.Line, f.Title,
		); err != nil {
			return err
		}
	}
	verdict := res.Verdict.Verdict
	if res.Class != "" {
		verdict += " (" + string(res.Class) + ")"
	}
	if res.Message != "" {
		verdict += ": " + res.Message
	}
	_, err := fmt.Fprintf(e.stdout, "verdict  %s\n", verdict)
	return err
}
