package netboot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/runner/plan"
)

// What a client of the HTTP service may take.
const (
	headerWait = 10 * time.Second // for its request
	idleWait   = 30 * time.Second // between two requests
	stallWait  = time.Minute      // for the next bytes: a loader that erases flash reads nothing meanwhile
	maxHeader  = 8 << 10          // bytes

	// maxConnections is how many there are at a time; more wait until one ends. Half of them may be idle.
	maxConnections = 2 * maxRequests
)

// HTTP serves folders by HTTP.
type HTTP struct {
	shares shares
	server http.Server
	root   *url.URL
	free   chan struct{}
	logger *slog.Logger
	open   sync.WaitGroup // connections
	done   chan struct{}  // closed when err is there
	err    error
}

// ListenHTTP starts the service.
func ListenHTTP(ctx context.Context, o Options) (*HTTP, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("serve HTTP: %w", err)
	}
	root, err := o.address("http", l.Addr())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("serve HTTP: %w", err), l.Close())
	}
	h := &HTTP{root: root, free: make(chan struct{}, maxRequests), logger: o.Logger, done: make(chan struct{})}
	h.server = http.Server{
		Handler: http.HandlerFunc(h.request), ReadTimeout: headerWait, IdleTimeout: idleWait, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug), ConnState: h.count,
	}
	go func() {
		defer close(h.done)
		h.err = h.server.Serve(netutil.LimitListener(l, maxConnections))
	}()
	return h, nil
}

// Serve serves a folder.
func (h *HTTP) Serve(_ context.Context, lease, dir string, undo *journal.Journal) (plan.Share, error) {
	s, err := h.shares.serve(lease, dir, h.root, undo)
	if err != nil {
		return plan.Share{}, fmt.Errorf("serve a folder by HTTP: %w", err)
	}
	return s, nil
}

// count counts the connections: their goroutines end with them.
func (h *HTTP) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew: // before Serve can return, so that nothing is added while Close waits
		h.open.Add(1)
	case http.StateClosed:
		h.open.Done()
	}
}

// Close ends the service, and waits for its requests, which it cuts off. The folders stay.
func (h *HTTP) Close() error {
	h.shares.close()
	err := h.server.Close()
	<-h.done
	h.open.Wait()
	if !errors.Is(h.err, http.ErrServerClosed) {
		err = errors.Join(err, h.err)
	}
	return err
}

// request answers one request.
func (h *HTTP) request(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	// Reset the deadline left by the previous request on this connection.
	_ = control.SetWriteDeadline(time.Now().Add(stallWait))
	select {
	case h.free <- struct{}{}:
		defer func() { <-h.free }()
	default:
		h.refuse(w, r, http.StatusServiceUnavailable, errors.New("too many requests at a time"))
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		h.refuse(w, r, http.StatusMethodNotAllowed, errors.New("files are only read"))
		return
	}
	if r.Body != http.NoBody {
		h.refuse(w, r, http.StatusBadRequest, errors.New("a request for a file has no body"))
		return
	}
	f, err := h.shares.open(r.URL.Path)
	if errors.Is(err, errBusy) {
		h.refuse(w, r, http.StatusServiceUnavailable, err)
		return
	}
	if err != nil {
		h.refuse(w, r, http.StatusNotFound, err)
		return
	}
	defer f.close()
	to := &patient{ResponseWriter: w, control: control, over: f.share.end}
	defer f.share.atEnd(func() { _ = control.SetWriteDeadline(time.Unix(1, 0)) })()
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(to, r, "", f.info.ModTime(), f)
	h.logger.Debug(
		"served a file", "service", "http", "lease", f.share.lease, "client", r.RemoteAddr, "file", f.name, "bytes", to.bytes,
	)
}

// refuse ends the connection too: of a body that nobody wants no more is read than has arrived.
func (h *HTTP) refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
	w.Header().Set("Connection", "close")
	h.logger.Debug("refused a request", "service", "http", "client", r.RemoteAddr, "method", r.Method, "err", err)
	http.Error(w, http.StatusText(status), status)
}

// patient writes as long as its reader goes on, until the folder is taken back.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
	over    context.Context //nolint:containedctx // of the share, not of a call
	bytes   int64
}

func (p *patient) Write(b []byte) (int, error) {
	if err := p.control.SetWriteDeadline(time.Now().Add(stallWait)); err != nil {
		return 0, err
	}
	if p.over.Err() != nil { // after the deadline was moved: nothing moves it back
		return 0, errClosed
	}
	n, err := p.ResponseWriter.Write(b)
	p.bytes += int64(n)
	return n, err
}
