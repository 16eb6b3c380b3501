package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/jobs/rpc"
	"github.com/gantry-ci/gantry/runner"
	"github.com/gantry-ci/gantry/runner/agent"
	"github.com/gantry-ci/gantry/runner/plan"
	"github.com/gantry-ci/gantry/runner/target"
	"github.com/gantry-ci/gantry/vmhost/kvm"
)

type runnerCmd struct {
	Config string `required:"" help:"Configuration file."`
}

// Run serves the lab until a signal.
func (c *runnerCmd) Run(ctx context.Context, e *env) error {
	cfg, err := e.runnerConfig(c.Config)
	if err != nil {
		return err
	}
	return serveRunner(ctx, cfg, e.logger)
}

// runnerConfig is the runner's configuration file.
type runnerConfig struct {
	Server       string
	Name         string
	TokenFile    string
	Dir          string
	DeviceFiles  []string
	FileRoots    []string
	URLs         []string
	Repositories []string

	Token   string
	Devices map[string]*jobs.Device
}

// servedConsole is the most bytes that a served job's console may print, a day's at 115200 baud: an artifact that prints
// for ever fills no disk.
const servedConsole = 1 << 30

// Fields declares the file.
func (c *runnerConfig) Fields(f *schema.Fields) {
	f.Required("server", schema.Text(&c.Server), "The app's URL: https://…, or h2c://… for HTTP/2 in clear.")
	f.Required("name", schema.Text(&c.Name), "Of this runner, unique in the lab.")
	f.Optional("token_file", schema.Text(&c.TokenFile), "The enrollment token; needed once.")
	f.Required("dir", schema.Text(&c.Dir), "The runner's own folder.")
	f.Required("devices", schema.Texts(&c.DeviceFiles), "Device files, beside this file; patterns as in a shell.")
	f.Optional("file_roots", schema.Texts(&c.FileRoots), "Folders that file: URLs of jobs may lead to.")
	f.Optional("urls", schema.Texts(&c.URLs), "Prefixes of http URLs that jobs may fetch although their host is the lab's own.")
	f.Optional("repositories", schema.Texts(&c.Repositories), "Patterns of owner/name this runner serves; none serves all.")
}

// runnerConfig reads the file and the device files it names.
func (e *env) runnerConfig(file string) (*runnerConfig, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, usagef("read the configuration: %w", err)
	}
	c := &runnerConfig{Devices: map[string]*jobs.Device{}}
	n, report := schema.Parse(src, schema.YAML12)
	if n != nil {
		schema.Decode(n, "", c, schema.Strict, report)
	}
	report.Place(src)
	if err := report.Err(); err != nil {
		return nil, usagef("read %s:\n%w", file, err)
	}
	dir := filepath.Dir(file)
	for _, pattern := range c.DeviceFiles {
		files, err := filepath.Glob(beside(dir, pattern))
		if err != nil || len(files) == 0 {
			return nil, usagef("read the configuration: %s: no device file is at %q", file, pattern)
		}
		for _, f := range files {
			d, err := e.device(f)
			if err != nil {
				return nil, err
			}
			if d.Qemu == nil {
				return nil, usagef("%s: gantry executes QEMU guests; this file describes none", f)
			}
			if c.Devices[d.Name] != nil {
				return nil, usagef("%s: a second device is called %q", f, d.Name)
			}
			c.Devices[d.Name] = d
		}
	}
	if c.TokenFile != "" {
		token, err := os.ReadFile(beside(dir, c.TokenFile))
		if err != nil && !errors.Is(err, os.ErrNotExist) { // it is needed once
			return nil, usagef("read the enrollment token: %w", err)
		}
		c.Token = strings.TrimSpace(string(token))
	}
	return c, nil
}

func beside(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// serveRunner runs an agent with what a configuration says.
func serveRunner(ctx context.Context, c *runnerConfig, logger *slog.Logger) error {
	x := &executor{config: c, logger: logger}
	x.kvm = probeOnce()
	a, err := agent.New(agent.Options{
		Server: c.Server, Name: c.Name, Token: c.Token, Dir: c.Dir, Version: version(), Logger: logger,
		Targets: x.targets, Repositories: c.Repositories, Execute: x.execute, Recover: x.recover,
	})
	if err != nil {
		return usagef("%w", err)
	}
	return a.Run(ctx)
}

// executor is how this runner executes what it is assigned.
type executor struct {
	config *runnerConfig
	logger *slog.Logger
	kvm    func(context.Context) kvm.Result // probed once: it does not change while the host is up
}

// targets are what the device files describe.
func (x *executor) targets() []rpc.Target {
	var all []rpc.Target
	for _, name := range slices.Sorted(maps.Keys(x.config.Devices)) {
		d := x.config.Devices[name]
		all = append(all, rpc.Target{Name: d.Name, Type: d.Type, Tags: d.Tags, Trust: rpc.Trust(d.Trust), Health: rpc.Good})
	}
	return all
}

// execute runs one assignment. The lease is the guest's id, so that whoever finds the folder finds the guest.
func (x *executor) execute(ctx context.Context, a agent.Assignment, dir string) (jobs.Results, error) {
	d := x.config.Devices[a.Target]
	if d == nil {
		return jobs.Results{}, jobs.Failf(jobs.ClassInfrastructure, "run %s: this runner has no target %q", a.Run, a.Target)
	}
	j, report := jobs.ParseJob(a.Job, jobMode)
	if err := report.Err(); err != nil {
		return jobs.Results{}, jobs.Failf(jobs.ClassJob, "read the job: %w", err)
	}
	known, kernel, err := repositoryLists(a.Lists)
	if err != nil {
		return jobs.Results{}, err
	}
	t, err := target.Guest(d, target.GuestOptions{
		ID: a.Lease, NoKVM: j.Context.NoKVM, KVM: x.kvm, Logger: x.logger,
	})
	if err != nil {
		return jobs.Results{}, err
	}
	res, err := runner.Run(ctx, runner.Options{
		ID: a.Lease, Attempt: a.Attempt, Job: j, Target: t, Dir: dir,
		Policy:        plan.Policy{FileRoots: x.config.FileRoots, URLs: x.config.URLs, ConsoleLimit: servedConsole},
		KnownFailures: known, Kernel: kernel, TestRetries: a.TestRetries,
		Logger: x.logger.With("run", a.Run, "target", a.Target),
	})
	if res == nil {
		return jobs.Results{}, err
	}
	return *res, err
}

// recover takes back what a crashed process left of a run. Its guest is found by the lease alone, which names the folder;
// any device file will do, and the run's own may be gone.
func (x *executor) recover(ctx context.Context, dir string) error {
	for _, d := range x.config.Devices {
		t, err := target.Guest(d, target.GuestOptions{ID: filepath.Base(dir), Logger: x.logger})
		if err != nil {
			return err
		}
		return runner.Recover(ctx, t, dir)
	}
	return fmt.Errorf("recover %s: this runner has no device", dir)
}
