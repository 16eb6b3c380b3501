package fetch

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
)

// Proxy is an HTTP proxy on the loopback for a child that speaks HTTP by itself, such as git. The policy holds at each
// connection, for redirects and submodules too.
type Proxy struct {
	policy  Policy
	allowed string // host:port of the URL that policy allows whatever its address; "" for none
	limit   int64
	token   string // the password: other processes of this host do not know it
	server  *http.Server
	addr    net.Addr
	plain   *http.Transport
	forward *httputil.ReverseProxy
	done    chan struct{}

	taken  atomic.Int64
	mu     sync.Mutex
	err    error
	tunnel map[net.Conn]bool
	closed bool
}

// Proxy starts a proxy for a child that was told to fetch target. Limit is the most bytes it may bring. The caller
// closes it.
func (p Policy) Proxy(ctx context.Context, target string, limit int64) (*Proxy, error) {
	x := &Proxy{policy: p, limit: limit, token: rand.Text(), done: make(chan struct{}), tunnel: map[net.Conn]bool{}}
	if u, err := url.Parse(target); err == nil && !p.Host && p.allowedURL(u) {
		x.allowed = hostPort(u)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fault(Disk, "start a proxy: %w", err)
	}
	x.addr = l.Addr()
	x.plain = &http.Transport{DialContext: x.dial, ResponseHeaderTimeout: headerTimeout}
	x.forward = &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.Out.Header.Del("Proxy-Authorization") },
		Transport:    x.plain,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) { x.refuse(w, err) },
		ModifyResponse: func(r *http.Response) error {
			r.Body = &counted{r.Body, x}
			return nil
		},
	}
	x.server = &http.Server{Handler: x, ReadHeaderTimeout: headerTimeout}
	go func() {
		defer close(x.done)
		_ = x.server.Serve(l) // ends with Close
	}()
	return x, nil
}

// URL is the value for http.proxy. It has a password in it, so it must not be an argument of a command.
func (x *Proxy) URL() string {
	return (&url.URL{Scheme: "http", User: url.UserPassword("gantry", x.token), Host: x.addr.String()}).String()
}

// Err is the first reason for which the proxy refused or failed a request; nil if there is none.
func (x *Proxy) Err() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.err
}

// Close ends every connection and waits for the server.
func (x *Proxy) Close() error {
	err := x.server.Close()
	x.mu.Lock()
	x.closed = true
	for c := range x.tunnel {
		_ = c.Close() // it may have ended by itself
	}
	x.mu.Unlock()
	<-x.done
	x.plain.CloseIdleConnections()
	return err
}

func (x *Proxy) refuse(w http.ResponseWriter, err error) {
	x.mu.Lock()
	if x.err == nil {
		x.err = err
	}
	x.mu.Unlock()
	http.Error(w, "gantry: refused", http.StatusForbidden)
}

// ServeHTTP forwards a request, or opens a tunnel.
func (x *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("gantry:"+x.token))
	if r.Header.Get("Proxy-Authorization") != want {
		w.Header().Set("Proxy-Authenticate", `Basic realm="gantry"`)
		http.Error(w, "gantry: the proxy is not yours", http.StatusProxyAuthRequired)
		return
	}
	switch {
	case r.Method == http.MethodConnect:
		x.connect(w, r)
	case r.URL.Scheme == "http" && hostPort(r.URL) == x.allowed && !x.policy.allowedURL(r.URL):
		x.refuse(w, fault(Refused, "%s is not below a URL that this runner allows", r.URL.Redacted()))
	case r.URL.Scheme == "http":
		x.forward.ServeHTTP(w, r)
	default:
		http.Error(w, "gantry: not a request to a proxy", http.StatusBadRequest)
	}
}

// connect carries bytes both ways until one side ends.
func (x *Proxy) connect(w http.ResponseWriter, r *http.Request) {
	far, err := x.dial(r.Context(), "tcp", r.Host)
	if err != nil {
		x.refuse(w, err)
		return
	}
	near, buffered, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_, err = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
	}
	if err != nil || !x.keep(near, far) {
		_ = far.Close() // nothing was said on it
		return
	}
	up := make(chan struct{})
	go func() {
		defer close(up)
		_, _ = io.Copy(far, buffered) // its end is the tunnel's
		_ = far.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(near, &counted{far, x}) // likewise
	_ = errors.Join(near.Close(), far.Close())
	<-up
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.tunnel, near)
	delete(x.tunnel, far)
}

// keep has Close end the tunnel; false if Close was called already.
func (x *Proxy) keep(conns ...net.Conn) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range conns {
		if x.closed {
			_ = c.Close()
			continue
		}
		x.tunnel[c] = true
	}
	return !x.closed
}

// dial connects if the policy allows the address to which the name resolved.
func (x *Proxy) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := &net.Dialer{Timeout: dialTimeout}
	if addr != x.allowed {
		d.Control = func(_, resolved string, _ syscall.RawConn) error {
			ap, err := netip.ParseAddrPort(resolved)
			if err != nil {
				return fault(Refused, "%w", err)
			}
			return x.policy.address(ap.Addr())
		}
	}
	c, err := d.DialContext(ctx, network, addr)
	if err != nil {
		if e := (*Error)(nil); errors.As(err, &e) {
			return nil, &Error{e.Fault, fmt.Errorf("connect to %s: %w", addr, e.Err)}
		}
		return nil, fault(Transport, "connect to %s: %w", addr, err)
	}
	return c, nil
}

// counted ends a stream when the proxy's limit is reached.
type counted struct {
	io.ReadCloser
	x *Proxy
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if c.x.taken.Add(int64(n)) > c.x.limit {
		err = fault(Artifact, "more than %d bytes", c.x.limit)
		c.x.mu.Lock()
		defer c.x.mu.Unlock()
		if c.x.err == nil {
			c.x.err = err
		}
	}
	return n, err
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
