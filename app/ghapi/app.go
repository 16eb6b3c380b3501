package ghapi

import (
	"container/list"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	// DefaultBaseURL is github.com's API.
	DefaultBaseURL = "https://api.github.com/"

	requestTimeout = 20 * time.Second // GitHub itself gives up after 10
	dialTimeout    = 10 * time.Second
	maxClients     = 1000 // installations whose token and limits are kept
	maxRedirects   = 3    // a renamed repository takes one
)

// Options of an App.
type Options struct {
	AppID      int64
	PrivateKey []byte // PEM
	BaseURL    string // of the API, for GitHub Enterprise Server; DefaultBaseURL when empty
	Registerer prometheus.Registerer
	Now        func() time.Time // nil is the wall clock
}

// App is a GitHub App. It is safe for concurrent use.
type App struct {
	id    int64
	base  *url.URL
	wire  *http.Transport
	app   *ghinstallation.AppsTransport
	self  *github.Client
	now   func() time.Time
	meter *meter

	mu      sync.Mutex
	clients map[int64]*list.Element // of *Client
	recent  *list.List              // the most recently used first
}

// New makes an App. It makes no request.
func New(o Options) (*App, error) {
	if o.BaseURL == "" {
		o.BaseURL = DefaultBaseURL
	}
	base, err := url.Parse(strings.TrimRight(o.BaseURL, "/") + "/")
	if err != nil {
		return nil, fmt.Errorf("read GitHub address: %w", err)
	}
	if base.Host == "" || base.Scheme != "https" && base.Scheme != "http" || base.RawQuery != "" || base.User != nil {
		return nil, fmt.Errorf("read GitHub address %q: not an http(s) address", base.Redacted())
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	m, err := newMeter(o.Registerer)
	if err != nil {
		return nil, err
	}
	network := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: dialTimeout,
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     90 * time.Second,
	}
	at, err := ghinstallation.NewAppsTransport(network, o.AppID, o.PrivateKey)
	if err != nil {
		return nil, errors.New("read the App's private key: not an RSA key in PEM") // the cause may quote the key
	}
	at.BaseURL = strings.TrimRight(base.String(), "/")
	a := &App{
		id: o.AppID, base: base, wire: network, app: at, now: o.Now, meter: m, clients: map[int64]*list.Element{},
		recent: list.New(),
	}
	a.self = a.asApp()
	return a, nil
}

// Close closes idle connections.
func (a *App) Close() { a.wire.CloseIdleConnections() }

// Installation is the client of an installation, with its own token and limits.
func (a *App) Installation(id int64) *Client {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e, ok := a.clients[id]; ok {
		a.recent.MoveToFront(e)
		return e.Value.(*Client)
	}
	if a.recent.Len() >= maxClients {
		last := a.recent.Back()
		delete(a.clients, a.recent.Remove(last).(*Client).installation)
	}
	c := a.newClient(id)
	a.clients[id] = a.recent.PushFront(c)
	return c
}

func (a *App) newClient(id int64) *Client {
	// Each client has its own transport, since ghinstallation changes the one it is given.
	apps := *a.app
	tokens := ghinstallation.NewFromAppsTransport(&apps, id)
	return &Client{appID: a.id, installation: id, gh: a.client(newLimiter(tokens, a.now, a.meter))}
}

// sameHost refuses redirects to other hosts: the transport signs every request.
func (a *App) sameHost(r *http.Request, via []*http.Request) error {
	if r.URL.Host != a.base.Host || r.URL.Scheme != a.base.Scheme {
		return fmt.Errorf("redirected to another host, %q", r.URL.Host)
	}
	if len(via) > maxRedirects {
		return errors.New("redirected too often")
	}
	return nil
}

// CloneURL is the address from which git clones a repository: at github.com, or at the host of the configured API.
func (a *App) CloneURL(repo string) string {
	u := url.URL{Scheme: a.base.Scheme, Host: a.base.Host, Path: "/" + repo + ".git"}
	if a.base.Host == "api.github.com" {
		u.Host = "github.com"
	}
	return u.String()
}
