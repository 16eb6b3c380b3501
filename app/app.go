package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gantry-ci/gantry/app/api"
	"github.com/gantry-ci/gantry/app/checks"
	"github.com/gantry-ci/gantry/app/ghapi"
	"github.com/gantry-ci/gantry/app/hook"
	"github.com/gantry-ci/gantry/app/scheduler"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/app/web"
	"github.com/gantry-ci/gantry/app/work"
)

// stopTimeout is for stopping everything together. Work that is cut off is resumed at the next start.
const stopTimeout = 30 * time.Second

// App is an app: New opens what it needs, Start makes it serve, Wait waits for its end, Stop ends it.
type App struct {
	opts      Options
	log       *slog.Logger
	store     *store.Store
	work      *work.Workers
	scheduler *scheduler.Scheduler
	api       *api.Server
	mux       *http.ServeMux
	addr      string
	failed    chan error // holds one: the error that ends Wait
	stops     []stop
}

// stop ends one part of the app.
type stop struct {
	name string
	f    func(context.Context) error
}

// onStop registers a function for Stop to call, in reverse order. It is called right after the part is started.
func (a *App) onStop(name string, f func(context.Context) error) {
	a.stops = append(a.stops, stop{name, f})
}

// New checks the options and opens the database. On an error nothing stays open.
func New(ctx context.Context, o Options) (*App, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	a := &App{opts: o, log: o.Logger, failed: make(chan error, 1), mux: http.NewServeMux()}
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, a.Stop(ctx))
	}
	return a, nil
}

// open opens the parts, from the database up.
func (a *App) open(ctx context.Context) error {
	var err error
	o := a.opts
	// The store calls the workers, which are made on top of it: no run changes before Start.
	changed := func(ctx context.Context, tx *store.Tx, run string) error { return a.work.RunChanged(ctx, tx, run) }
	a.store, err = store.Open(ctx, store.Options{DSN: o.Database, Now: o.Now, RunChanged: changed})
	if err != nil {
		return err
	}
	a.onStop("database", func(context.Context) error { return a.store.Close() })
	blobs, err := store.OpenBlobs(o.Blobs)
	if err != nil {
		return err
	}
	a.onStop("blobs", func(context.Context) error { return blobs.Close() })
	if err := a.openGitHub(ctx, blobs); err != nil {
		return err
	}
	return a.openLab(ctx, blobs)
}

// openGitHub opens the side of GitHub: webhooks in, checks out.
func (a *App) openGitHub(ctx context.Context, blobs *store.Blobs) error {
	o := a.opts
	gh, err := ghapi.New(ghapi.Options{
		AppID: o.AppID, PrivateKey: o.PrivateKey, BaseURL: o.GitHubURL, Registerer: o.Registerer, Now: o.Now,
	})
	if err != nil {
		return err
	}
	a.onStop("github", func(context.Context) error { gh.Close(); return nil })
	writer, err := checks.New(checks.Options{
		Store: a.store, GitHub: gh, BaseURL: o.URL, Logger: a.log.With("component", "checks"), Registerer: o.Registerer,
		Now: o.Now,
	})
	if err != nil {
		return err
	}
	a.work, err = work.New(ctx, work.Options{
		Store: a.store, Blobs: blobs, DSN: o.Database, GitHub: gh, AppID: o.AppID, Checks: writer, Policy: o.Policy,
		Retention: o.Retention, Logger: a.log.With("component", "work"), Registerer: o.Registerer, Now: o.Now,
	})
	if err != nil {
		return err
	}
	a.onStop("work", a.work.Stop)
	webhooks, err := hook.New(hook.Options{
		Secrets: o.WebhookSecrets, Store: a.store, Work: a.work, Logger: a.log.With("component", "hook"),
		Registerer: o.Registerer,
	})
	if err != nil {
		return err
	}
	a.mux.Handle("/hook", webhooks)
	return nil
}

// openLab opens the side of runners and readers: scheduler, API, pages and metrics.
func (a *App) openLab(ctx context.Context, blobs *store.Blobs) error {
	o := a.opts
	var err error
	a.scheduler, err = scheduler.New(ctx, scheduler.Options{
		Store: a.store, Blobs: blobs, Logger: a.log.With("component", "scheduler"), Registerer: o.Registerer,
	})
	if err != nil {
		return err
	}
	a.api, err = api.New(ctx, api.Options{
		Store: a.store, Blobs: blobs, Scheduler: a.scheduler, Version: o.Version, Logger: a.log.With("component", "api"),
		Registerer: o.Registerer,
	})
	if err != nil {
		return err
	}
	a.onStop("api", func(context.Context) error { a.api.Close(); return nil })
	a.mux.Handle(a.api.Handler())
	pages, err := web.New(web.Options{Store: a.store, Blobs: blobs, Logger: a.log.With("component", "web")})
	if err != nil {
		return err
	}
	protect := func(h http.Handler) http.Handler { return h }
	if o.PagesToken != "" {
		protect = func(h http.Handler) http.Handler { return web.Login(o.PagesToken, h) }
	}
	a.mux.Handle("/", protect(pages))
	a.mux.Handle("GET /metrics", protect(promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{})))
	a.mux.HandleFunc("GET /healthz", a.health)
	return nil
}

// Start makes the app serve and work until Stop.
func (a *App) Start(ctx context.Context) error {
	// The parts outlive the context in which they are started: Stop ends them, in order.
	ctx = context.WithoutCancel(ctx)
	if err := a.work.Start(ctx); err != nil {
		return err
	}
	if err := a.startHTTP(ctx); err != nil {
		return err
	}
	a.startLoop(ctx, "scheduler", a.scheduler.Run)
	a.startLoop(ctx, "streams", a.api.Run) // the HTTP server stops after it: streams do not end by themselves
	a.log.InfoContext(ctx, "app is ready", "addr", a.addr, "url", a.opts.URL)
	return nil
}

// startLoop runs a loop that ends with its context.
func (a *App) startLoop(ctx context.Context, name string, run func(context.Context)) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(ctx)
	}()
	a.onStop(name, func(context.Context) error {
		cancel()
		<-done
		return nil
	})
}

// Wait waits until ctx ends, or until a part fails for good, with that part's error.
func (a *App) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-a.failed:
		return err
	}
}

// fail ends Wait with the first error.
func (a *App) fail(err error) {
	select {
	case a.failed <- err:
	default:
	}
}

// Stop ends all parts, the last one first, and waits for them. Calling it again does nothing.
func (a *App) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	var errs []error
	for len(a.stops) > 0 {
		last := a.stops[len(a.stops)-1]
		a.stops = a.stops[:len(a.stops)-1]
		if err := last.f(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", last.name, err))
		}
	}
	return errors.Join(errs...)
}

// Addr is the address and port on which the app listens, once it is started.
func (a *App) Addr() string { return a.addr }

// Store is the app's state, for tests.
func (a *App) Store() *store.Store { return a.store }
