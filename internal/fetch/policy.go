package fetch

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Policy is where a fetch may go. The zero value allows public http and https only.
type Policy struct {
	// Host allows every file of this host, and every address.
	Host bool
	// FileRoots are folders whose files may be fetched. A file: URL is looked up as it stands where it lies below a
	// root, else below each root in turn, as if the root were "/": so a lab can move its images without changing jobs.
	FileRoots []string
	// URLs are prefixes of http URLs allowed whatever their address: the lab's own file server.
	URLs []string
}

// Limits of one http fetch; its whole time is the caller's.
const (
	dialTimeout   = 15 * time.Second // a route that is there answers in a second or two
	headerTimeout = 60 * time.Second // artifact stores assemble the file first
	maxRedirects  = 10               // as browsers and curl
)

// Check returns an error if the policy refuses u, as far as that is known before the fetch: for plans.
func (p Policy) Check(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return fault(Artifact, "the URL cannot be read")
	}
	raw = Redact(raw)
	switch u.Scheme {
	case "file":
		if !p.Host && len(p.FileRoots) == 0 {
			return fault(Refused, "%s: this runner has no file_roots, so file: URLs are refused", raw)
		}
		if !p.Host {
			_, err := p.find(u)
			return err
		}
	case "http", "https":
		if u.Hostname() == "" {
			return fault(Artifact, "%s: the URL has no host", raw)
		}
		if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !p.allowedURL(u) {
			return p.address(ip)
		}
	default:
		return fault(Artifact, "%s: the scheme is %q, expected file, http or https", raw, u.Scheme)
	}
	return nil
}

// find is the path of a file: URL: below a root, opened without leaving it.
func (p Policy) find(u *url.URL) (where [2]string, err error) {
	if u.Host != "" && u.Host != "localhost" {
		return where, fault(Artifact, "%s: a file URL has no host: file:///path", u)
	}
	path := filepath.Clean("/" + u.Path)
	for _, root := range p.FileRoots {
		if rel, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(rel) {
			return [2]string{root, rel}, nil
		}
	}
	rel := strings.TrimPrefix(path, "/")
	for _, root := range p.FileRoots {
		if _, err := os.Stat(filepath.Join(root, rel)); err == nil && filepath.IsLocal(rel) {
			return [2]string{root, rel}, nil
		}
	}
	return where, fault(Refused, "%s: not below one of the runner's file_roots", u)
}

func (p Policy) openFile(u *url.URL) (io.ReadCloser, error) {
	if p.Host {
		return regular(os.OpenFile(u.Path, os.O_RDONLY|syscall.O_NONBLOCK, 0))
	}
	where, err := p.find(u)
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	// os.Root follows no link out of the root, whenever that was made.
	root, err := os.OpenRoot(where[0])
	if err != nil {
		return nil, fault(Disk, "fetch %s: %w", u, err)
	}
	f, err := root.OpenFile(where[1], os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe without a writer would wait
	if e := root.Close(); e != nil && err == nil {
		return nil, fault(Disk, "fetch %s: %w", u, e)
	}
	return regular(f, err)
}

// regular refuses a device or a pipe, which would never end.
func regular(f *os.File, err error) (io.ReadCloser, error) {
	if err != nil {
		return nil, fault(Artifact, "fetch: %w", err)
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", f.Name())
	}
	if err != nil {
		_ = f.Close()
		return nil, fault(Artifact, "fetch: %w", err)
	}
	return f, nil
}

func (p Policy) allowedURL(u *url.URL) bool {
	for _, allowed := range p.URLs {
		a, err := url.Parse(allowed)
		if err == nil && a.Scheme == u.Scheme && a.Host == u.Host && below(a.Path, u.Path) {
			return true
		}
	}
	return p.Host
}

// below reports whether a path is the allowed one or below it. One with dot segments is not: servers differ in what
// they make of them.
func below(allowed, p string) bool {
	if path.Clean("/"+p) != strings.TrimSuffix("/"+strings.TrimPrefix(p, "/"), "/") && p != "" && p != "/" {
		return false
	}
	allowed = strings.TrimSuffix(allowed, "/")
	return p == allowed || strings.HasPrefix(p, allowed+"/")
}

// Redact is a URL without its password and its query, where signed URLs have their secret: for logs and messages.
func Redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "an unreadable URL"
	}
	if u.RawQuery != "" {
		u.RawQuery = "…"
	}
	u.Fragment = ""
	return u.Redacted()
}

// address refuses what is not on the public internet: the lab's own network, this host, and the metadata services of
// clouds (169.254.169.254 and fd00:ec2::254 are link-local and private).
func (p Policy) address(ip netip.Addr) error {
	ip = ip.Unmap()
	switch {
	case p.Host:
		return nil
	case ip.IsLoopback():
		return fault(Refused, "%s is a loopback address", ip)
	case ip.IsLinkLocalUnicast(), ip.IsLinkLocalMulticast(), ip.IsInterfaceLocalMulticast():
		return fault(Refused, "%s is a link-local address", ip)
	case ip.IsPrivate(), carrier.Contains(ip):
		return fault(Refused, "%s is a private address", ip)
	case ip.IsUnspecified(), ip.IsMulticast(), !ip.IsGlobalUnicast(), translated(ip):
		return fault(Refused, "%s is not a public address", ip)
	}
	return nil
}

// carrier is RFC 6598: shared address space, a lab's as often as a provider's.
var carrier = netip.MustParsePrefix("100.64.0.0/10") //nolint:gochecknoglobals // a constant

// translated is an IPv6 address that a gateway turns into an IPv4 one: RFC 6052 and 6to4 hide a private one.
func translated(ip netip.Addr) bool {
	return netip.MustParsePrefix("64:ff9b::/96").Contains(ip) || netip.MustParsePrefix("2002::/16").Contains(ip)
}

// client enforces the policy at each connection, on the address to which the name resolved.
func (p Policy) client() *http.Client {
	check := func(allowed bool) func(context.Context, string, string) (net.Conn, error) {
		d := &net.Dialer{Timeout: dialTimeout}
		d.Control = func(_, addr string, _ syscall.RawConn) error {
			if allowed {
				return nil
			}
			ap, err := netip.ParseAddrPort(addr)
			if err != nil {
				return fault(Refused, "%w", err)
			}
			return p.address(ap.Addr())
		}
		return d.DialContext
	}
	var t policed
	t.open = &http.Transport{DialContext: check(true), ResponseHeaderTimeout: headerTimeout, ForceAttemptHTTP2: true}
	t.strict = &http.Transport{DialContext: check(false), ResponseHeaderTimeout: headerTimeout, ForceAttemptHTTP2: true}
	t.policy = p
	return &http.Client{Transport: &t, CheckRedirect: func(_ *http.Request, via []*http.Request) error {
		if len(via) >= maxRedirects {
			return fault(Artifact, "more than %d redirects", maxRedirects)
		}
		return nil
	}}
}

// policed sends requests for allowed URLs, and no others, past the check of addresses.
type policed struct {
	policy       Policy
	open, strict *http.Transport
}

func (t *policed) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.policy.allowedURL(r.URL) {
		return t.open.RoundTrip(r)
	}
	return t.strict.RoundTrip(r)
}

// CloseIdleConnections is called by http.Client.
func (t *policed) CloseIdleConnections() {
	t.open.CloseIdleConnections()
	t.strict.CloseIdleConnections()
}
