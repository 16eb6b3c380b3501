package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gantry-ci/gantry/app/api"
	"github.com/gantry-ci/gantry/app/checks"
	"github.com/gantry-ci/gantry/app/ghapi"
	"github.com/gantry-ci/gantry/app/hook"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/app/web"
	"github.com/gantry-ci/gantry/app/work"
)

const (
	headerTimeout = 10 * time.Second // a client that sends no header is gone
	idleTimeout   = 2 * time.Minute  // of a kept connection
	stopTimeout   = 30 * time.Second // for everything together; what is not done then goes on after the next start
	httpTimeout   = 5 * time.Second  // for requests in progress; streams never end by themselves
	maxHeader     = 64 << 10         // bytes
)

// App is a running app: New opens what it needs, Start makes it serve, Stop ends it. Run does all three.
type App struct {
	opts   Options
	log    *slog.Logger
	store  *store.Store
	queue  *work.Queue
	api    *api.Server
	mux    *http.ServeMux
	addr   string
	failed chan error
	stops  []stop
}

// stop takes one thing back.
type stop struct {
	name string
	f    func(context.Context) error
}

// onStop registers what Stop calls, the last first. It stands on the line after the start.
func (a *App) onStop(name string, f func(context.Context) error) {
	a.stops = append(a.stops, stop{name, f})
}

// Run serves until ctx ends or something fails that cannot be mended.
func Run(ctx context.Context, o Options) error {
	a, err := New(ctx, o)
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return errors.Join(err, a.Stop(ctx))
	}
	select {
	case <-ctx.Done():
	case err = <-a.failed:
	}
	return errors.Join(err, a.Stop(ctx))
}

// New opens the database and checks the options. On an error nothing stays open.
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

// open is one straight list on purpose: it is the wiring.
func (a *App) open(ctx context.Context) error {
	var err error
	o := a.opts
	// The store tells of changed runs before the queue that is told exists: nothing changes before Start.
	a.store, err = store.Open(ctx, store.Options{DSN: o.Database, Now: o.Now, RunChanged: func(ctx context.Context, tx *store.Tx, run string) error {
		return a.queue.RunChanged(ctx, tx, run)
	}})
	if err != nil {
		return err
	}
	a.onStop("database", func(context.Context) error { return a.store.Close() })

	blobs, err := store.OpenBlobs(o.Blobs)
	if err != nil {
		return err
	}
	a.onStop("blobs", func(context.Context) error { return blobs.Close() })

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
	a.queue, err = work.New(ctx, work.Options{
		Store: a.store, DSN: o.Database, GitHub: gh, AppID: o.AppID, Checks: writer, Policy: o.Policy, Retention: o.Retention,
		Logger: a.log.With("component", "work"), Registerer: o.Registerer, Now: o.Now,
	})
	if err != nil {
		return err
	}
	a.onStop("work", a.queue.Stop)
	webhooks, err := hook.New(hook.Options{
		Secrets: o.WebhookSecrets, Store: a.store, Queue: a.queue, Logger: a.log.With("component", "hook"),
		Registerer: o.Registerer,
	})
	if err != nil {
		return err
	}
	pages, err := web.New(web.Options{Store: a.store, Blobs: blobs, Logger: a.log.With("component", "web")})
	if err != nil {
		return err
	}
	a.api, err = api.New(ctx, api.Options{
		Store: a.store, Blobs: blobs, Version: o.Version, Logger: a.log.With("component", "api"), Registerer: o.Registerer,
	})
	if err != nil {
		return err
	}
	a.onStop("api", func(context.Context) error { a.api.Close(); return nil })
	a.mux.Handle(a.api.Handler())
	a.mux.Handle("/hook", webhooks)
	read := func(h http.Handler) http.Handler { return h }
	if o.PagesToken != "" {
		read = func(h http.Handler) http.Handler { return web.Login(o.PagesToken, h) }
	}
	a.mux.Handle("/", read(pages))
	a.mux.Handle("GET /metrics", read(promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{})))
	a.mux.HandleFunc("GET /healthz", a.health)
	return nil
}

// Start listens and works until Stop.
func (a *App) Start(ctx context.Context) error {
	// What is started here outlives the context it is started in: Stop ends it, in order.
	ctx = context.WithoutCancel(ctx)
	if err := a.queue.Start(ctx); err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", a.opts.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	a.addr = l.Addr().String()
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true) // one connection a runner, behind a proxy that ends TLS
	s := &http.Server{
		Handler: a.mux, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		Protocols: &protocols,
		ErrorLog:  slog.NewLogLogger(a.log.With("component", "http").Handler(), slog.LevelDebug),
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.fail(fmt.Errorf("serve: %w", err))
		}
	}()
	a.onStop("http", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, httpTimeout)
		defer cancel()
		err := s.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = s.Close() // who is slow tries again
		}
		<-served
		return err
	})
	// It stops before the server does: its streams never end by themselves.
	loop, cancel := context.WithCancel(ctx)
	looped := make(chan struct{})
	go func() {
		defer close(looped)
		if err := a.api.Run(loop); err != nil {
			a.fail(fmt.Errorf("schedule runs: %w", err))
		}
	}()
	a.onStop("api loop", func(context.Context) error {
		cancel()
		<-looped
		return nil
	})
	a.log.InfoContext(ctx, "app is ready", "addr", a.addr, "url", a.opts.URL)
	return nil
}

// fail ends Run with the first error.
func (a *App) fail(err error) {
	select {
	case a.failed <- err:
	default:
	}
}

// Stop ends what was started, the last first, and waits for it. Calling it again does nothing.
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

// Addr is where the app listens, once it is started.
func (a *App) Addr() string { return a.addr }

// Store is the app's state, for what is wired to it.
func (a *App) Store() *store.Store { return a.store }

// health answers whether the database does.
func (a *App) health(w http.ResponseWriter, r *http.Request) {
	if _, err := a.store.CountDeliveries(r.Context()); err != nil {
		a.log.ErrorContext(r.Context(), "unhealthy", "err", err)
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n")) // who asks may be gone
}
