package cli

import (
	"context"
	"errors"
	"log/slog"

	"github.com/gantry-ci/gantry/runner/agent"
	"github.com/gantry-ci/gantry/runner/lab"
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

// runnerConfig reads the file and the device files it names.
func (e *env) runnerConfig(file string) (*lab.Config, error) {
	c, err := lab.ReadConfig(file, e.device, nil)
	if err != nil {
		return nil, usagef("%w", err)
	}
	return c, nil
}

// serveRunner runs an agent with what a configuration says.
func serveRunner(ctx context.Context, c *lab.Config, logger *slog.Logger) (err error) {
	x := lab.NewExecutor(c, logger)
	if err := x.Listen(ctx); err != nil {
		return usagef("%w", err)
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	a, err := agent.New(agent.Options{
		Server: c.Server, Name: c.Name, Token: c.Token, Dir: c.Dir, Version: version(), Logger: logger,
		Targets: x.Targets, Repositories: c.Repositories, Execute: x.Execute, Recover: x.Recover,
	})
	if err != nil {
		return usagef("%w", err)
	}
	return a.Run(ctx)
}
