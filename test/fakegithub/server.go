package fakegithub

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Limits of the server's own; each bounds a wait.
const (
	shutdownTimeout = 5 * time.Second  // for requests in progress at Close
	headerTimeout   = 10 * time.Second // a client that sends no header is gone
	webhookTimeout  = 10 * time.Second // GitHub's own patience with a webhook
)

// webhookConnections is how many connections to the receiver are kept open.
const webhookConnections = 100

// Options say what a Server is. The zero value is a github.com with one App.
type Options struct {
	// Addr is where to listen; 127.0.0.1:0 when empty. Listener wins over it.
	Addr     string
	Listener net.Listener

	// AppID and AppSlug identify the App; 12345 and "gantry" when zero.
	AppID   int64
	AppSlug string
	// Key is the App's private key; made when nil. The server itself only uses
	// its public half; PrivateKey hands out the other to the App.
	Key *rsa.PrivateKey
	// ShortTokens issues installation tokens in the old form, ghs_ and 36
	// characters, instead of the long ghs_APPID_… form that GitHub moves to.
	ShortTokens bool

	// WebhookURL and WebhookSecret are where and how webhooks are delivered.
	WebhookURL    string
	WebhookSecret string

	// HourlyBudget is the primary limit of an installation; 5,000 when zero, as for
	// the smallest. A request over it is a violation.
	HourlyBudget int
	// ContentLimits enforces the secondary limit on requests that write: 80 a
	// minute and 500 an hour for an installation.
	ContentLimits bool

	// HTMLURL is the web site that html_url fields lead to; https://github.com when empty.
	HTMLURL string
	// OpenAPI is the file with GitHub's OpenAPI description; found, and fetched
	// if need be, by package octokit when empty.
	OpenAPI string
	// Violation is told of each rule that a request breaks. It is called from
	// the goroutine of that request.
	Violation func(error)
	// Now is the clock that tokens, limits and timestamps go by; time.Now when nil.
	Now func() time.Time
	// Logger gets a line a request; discarded when nil.
	Logger *slog.Logger
}

// Server is a GitHub with one App. All methods are safe for concurrent use.
type Server struct {
	opts    Options
	key     *rsa.PrivateKey
	url     string
	started time.Time
	http    *http.Server
	sender  *http.Client // of webhooks
	spec    *spec
	routes  map[string]endpoint
	serving sync.WaitGroup // the accept loop, and deliveries GitHub starts by itself
	stop    context.CancelFunc
	alive   context.Context //nolint:containedctx // the server's own lifetime, for the deliveries it starts

	mu         sync.Mutex // guards all below
	state      state
	faults     []*Fault
	violations []*Violation
	requests   []Request
	limits     map[string]*budget
	changed    chan struct{} // closed and replaced when something happened
}

// New starts a server. Close stops it.
func New(ctx context.Context, o Options) (*Server, error) {
	o.Addr = cmp.Or(o.Addr, "127.0.0.1:0")
	o.AppID = cmp.Or(o.AppID, 12345)
	o.HourlyBudget = cmp.Or(o.HourlyBudget, 5000)
	o.AppSlug = cmp.Or(o.AppSlug, "gantry")
	o.HTMLURL = cmp.Or(o.HTMLURL, "https://github.com")
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	description, err := loadSpec(ctx, o.OpenAPI)
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts: o, key: o.Key, spec: description, started: o.Now(), state: newState(), limits: map[string]*budget{},
		changed: make(chan struct{}),
	}
	if s.key == nil {
		if s.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return nil, fmt.Errorf("make App key: %w", err)
		}
	}
	s.routes = s.endpoints()
	listener := o.Listener
	if listener == nil {
		var lc net.ListenConfig
		if listener, err = lc.Listen(ctx, "tcp", o.Addr); err != nil {
			return nil, fmt.Errorf("listen for GitHub's API: %w", err)
		}
	}
	s.url = "http://" + listener.Addr().String()
	s.alive, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.http = &http.Server{
		Handler: s, ReadHeaderTimeout: headerTimeout, ErrorLog: slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn),
	}
	s.sender = &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: webhookConnections, IdleConnTimeout: webhookTimeout},
		// GitHub follows no redirects.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s.serving.Go(func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			o.Logger.Error("serve GitHub's API", "error", err)
		}
	})
	return s, nil
}

// Start starts a server for a test: it ends with the test, and every violation
// fails the test unless o.Violation is set.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	if o.Violation == nil {
		o.Violation = func(err error) { tb.Errorf("GitHub's rules: %v", err) }
	}
	s, err := New(tb.Context(), o)
	if err != nil {
		tb.Fatalf("start fake GitHub: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("stop fake GitHub: %v", err)
		}
	})
	return s
}

// Close stops the server: requests in progress get a moment to end, deliveries
// it started by itself are canceled. It waits for both, and is idempotent.
func (s *Server) Close() error {
	s.stop()
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("stop serving: %w", err), s.http.Close())
	}
	s.serving.Wait()
	s.sender.CloseIdleConnections()
	return err
}

// URL is the root of the REST API, without a slash at its end. The same API
// answers below URL/api/v3, where GitHub Enterprise Server has it.
func (s *Server) URL() string { return s.url }

// AppID is the App's id, which its JWTs carry as iss.
func (s *Server) AppID() int64 { return s.opts.AppID }

// PrivateKey is the App's private key, PEM encoded as GitHub hands it out.
func (s *Server) PrivateKey() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(s.key)})
}

// SetWebhook changes where webhooks go and how they are signed from now on.
func (s *Server) SetWebhook(url, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.WebhookURL, s.opts.WebhookSecret = url, secret
}

func (s *Server) now() time.Time { return s.opts.Now().UTC() }
