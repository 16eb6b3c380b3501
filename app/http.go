package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	headerTimeout = 10 * time.Second // for a client to send the header of its request
	idleTimeout   = 2 * time.Minute  // of a connection between requests
	httpTimeout   = 5 * time.Second  // for requests in progress when the app stops
	maxHeader     = 64 << 10         // bytes
)

// startHTTP listens and serves.
func (a *App) startHTTP(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", a.opts.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	a.addr = l.Addr().String()
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true) // a runner needs one connection only, also behind a proxy that ends TLS
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
			err = s.Close() // slow clients have to try again
		}
		<-served
		return err
	})
	return nil
}

// health answers 200 while the database answers.
func (a *App) health(w http.ResponseWriter, r *http.Request) {
	if _, err := a.store.CountDeliveries(r.Context()); err != nil {
		a.log.ErrorContext(r.Context(), "unhealthy", "err", err)
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n")) // it fails when the client is gone
}
