package cli

import (
	"context"
	"log/slog"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/gantry-ci/gantry/app"
	"github.com/gantry-ci/gantry/runner/agent"
	"github.com/gantry-ci/gantry/runner/lab"
)

type labCmd struct {
	App    string `required:"" help:"The app's configuration file."`
	Runner string `required:"" help:"The runner's configuration file; its server and token are not needed."`
}

// Run serves both until a signal.
func (c *labCmd) Run(ctx context.Context, e *env) error {
	o, err := app.LoadConfig(c.App, os.Getenv)
	if err != nil {
		return usagef("%w", err)
	}
	r, err := e.runnerConfig(c.Runner)
	if err != nil {
		return err
	}
	return ServeLab(ctx, Lab{App: o, Runner: r, Logger: e.logger})
}

// Lab is an app and a runner in one process, over real loopback RPC.
type Lab struct {
	App    app.Options
	Runner *lab.Config
	Logger *slog.Logger
	Ready  func(addr string) error // called when the app listens; may be nil
}

// ServeLab serves until ctx ends, or one of the two does. The runner stops first: its runs are cleaned up and reported
// to the app, which serves until then.
func ServeLab(ctx context.Context, l Lab) error {
	instrument(&l.App, l.Logger.With("side", "app"))
	runner, stopRunner := context.WithCancel(ctx)
	defer stopRunner()
	serving, stopApp := context.WithCancel(context.WithoutCancel(ctx))
	defer stopApp()
	started := make(chan *app.App, 1)
	var g errgroup.Group
	g.Go(func() error {
		defer stopRunner()
		return serveApp(serving, l.App, func(a *app.App) error {
			started <- a
			if l.Ready == nil {
				return nil
			}
			return l.Ready(a.Addr())
		})
	})
	g.Go(func() error {
		defer stopApp()
		select {
		case a := <-started:
			return l.serveRunner(runner, a)
		case <-runner.Done():
			return nil
		}
	})
	return g.Wait()
}

// serveRunner enrolls the runner with its own app, unless it is enrolled already.
func (l Lab) serveRunner(ctx context.Context, a *app.App) error {
	l.Runner.Server = "http://" + a.Addr()
	enrolled, err := agent.Enrolled(l.Runner.Dir)
	if err != nil {
		return err
	}
	if !enrolled {
		if l.Runner.Token, err = a.Enrollment(ctx, l.Runner.Name, enrollTime); err != nil {
			return err
		}
	}
	return serveRunner(ctx, l.Runner, l.Logger.With("side", "runner"))
}
