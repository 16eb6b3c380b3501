package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/gantry-ci/gantry/app"
)

type appCmd struct {
	Config string `required:"" help:"Configuration file."`
	Enroll string `placeholder:"NAME" help:"Print a token with which the runner NAME can enroll within a day, and exit."`
}

// enrollTime is how long an enrollment token is valid: somebody takes it to another machine by hand.
const enrollTime = 24 * time.Hour

// Run serves until a signal.
func (c *appCmd) Run(ctx context.Context, e *env) error {
	o, err := app.LoadConfig(c.Config, os.Getenv)
	if err != nil {
		return usagef("%w", err)
	}
	instrument(&o, e.logger)
	if c.Enroll == "" {
		return serveApp(ctx, o, nil)
	}
	token, err := app.Enroll(ctx, o, c.Enroll, enrollTime)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.stdout, token)
	return err
}

// instrument gives the app its logger and a registry of its own.
func instrument(o *app.Options, logger *slog.Logger) {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	o.Version, o.Logger, o.Registerer, o.Gatherer = version(), logger, r, r
}

// serveApp runs an app, and calls ready once it serves.
func serveApp(ctx context.Context, o app.Options, ready func(*app.App) error) error {
	a, err := app.New(ctx, o)
	if err != nil {
		return usagef("%w", err)
	}
	err = a.Start(ctx)
	if err == nil && ready != nil {
		err = ready(a)
	}
	if err == nil {
		err = a.Wait(ctx)
	}
	return errors.Join(err, a.Stop(ctx))
}
