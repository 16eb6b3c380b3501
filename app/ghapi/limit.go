package ghapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// GitHub's secondary limits on requests that create content, for an installation, and limits of our own.
const (
	writesPerMinute = 80
	writesPerHour   = 500
	defaultWait     = time.Minute // GitHub's advice for a limit that names no time
	maxWait         = time.Hour   // GitHub's longest window; a later reset is not believed
	maxResponse     = 8 << 20     // bytes; the calls here have smaller ones
)

// window counts the requests of a fixed span of time.
type window struct {
	span  time.Duration
	limit int
	start time.Time
	used  int
}

// wait is how long until another request is allowed; 0 is now.
func (w *window) wait(now time.Time) time.Duration {
	if now.Sub(w.start) >= w.span {
		w.start, w.used = now, 0
	}
	if w.used >= w.limit {
		return w.start.Add(w.span).Sub(now)
	}
	return 0
}

// limiter is the transport of an installation. It keeps to GitHub's limits, and turns a response that says that one is
// reached into a LimitError before go-github sees it: go-github would refuse further calls by itself until the reset.
type limiter struct {
	next  http.RoundTripper
	now   func() time.Time
	meter *meter

	mu      sync.Mutex
	writes  []*window
	blocked time.Time // by GitHub, until then
}

func newLimiter(next http.RoundTripper, now func() time.Time, m *meter) *limiter {
	return &limiter{next: next, now: now, meter: m, writes: []*window{
		{span: time.Hour, limit: writesPerHour}, {span: time.Minute, limit: writesPerMinute},
	}}
}

// RoundTrip sends a request unless a limit is reached.
func (l *limiter) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := l.admit(r); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // as a RoundTripper must
		}
		return nil, err
	}
	// Not http.Client.Timeout, which needs the body closed: go-github does not close it after an error.
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	resp, err := l.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		l.meter.request("error")
		return nil, err
	}
	resp.Body = &capped{resp.Body, maxResponse, cancel}
	l.meter.request(strconv.Itoa(resp.StatusCode))
	if wait, what := limited(resp, l.now()); what != "" {
		_ = resp.Body.Close()
		l.mu.Lock()
		l.blocked = l.now().Add(wait)
		l.mu.Unlock()
		return nil, &LimitError{wait, what}
	}
	l.meter.remaining(resp.Header.Get("X-RateLimit-Remaining"))
	// Without these headers go-github does not refuse calls by itself.
	resp.Header.Del("X-RateLimit-Remaining")
	resp.Header.Del("X-RateLimit-Reset")
	return resp, nil
}

func (l *limiter) admit(r *http.Request) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if wait := l.blocked.Sub(now); wait > 0 {
		return &LimitError{wait, "GitHub's"}
	}
	if r.Method == http.MethodGet {
		return nil
	}
	for _, w := range l.writes {
		if wait := w.wait(now); wait > 0 {
			return &LimitError{wait, fmt.Sprintf("%d writes in %s", w.limit, w.span)}
		}
	}
	for _, w := range l.writes {
		w.used++
	}
	return nil
}

// limited is how long a response asks to wait, and for which limit; "" if it names none.
func limited(r *http.Response, now time.Time) (wait time.Duration, what string) {
	if r.StatusCode != http.StatusForbidden && r.StatusCode != http.StatusTooManyRequests {
		return 0, ""
	}
	if s, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil {
		return clamp(time.Duration(s) * time.Second), "secondary"
	}
	if r.Header.Get("X-RateLimit-Remaining") == "0" {
		wait = defaultWait
		if at, err := strconv.ParseInt(r.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			wait = time.Unix(at, 0).Sub(now)
		}
		return clamp(wait), "primary"
	}
	if r.StatusCode == http.StatusTooManyRequests || mentionsLimit(r) {
		return defaultWait, "secondary"
	}
	return 0, ""
}

// mentionsLimit searches the text of a response for a limit: secondary limits do not always come with headers. The body
// can be read again afterwards.
func mentionsLimit(r *http.Response) bool {
	head, err := io.ReadAll(io.LimitReader(r.Body, maxRefusal))
	r.Body = &rejoined{io.MultiReader(bytes.NewReader(head), r.Body), r.Body}
	return err == nil && bytes.Contains(bytes.ToLower(head), []byte("rate limit"))
}

// maxRefusal is how much of a response is searched, in bytes.
const maxRefusal = 8 << 10

// rejoined is a body whose beginning has been read and is read again.
type rejoined struct {
	io.Reader
	io.Closer
}

func clamp(d time.Duration) time.Duration { return min(max(d, time.Second), maxWait) }

// capped is a body that ends with an error if it is too large. At its end it cancels the context of the request.
type capped struct {
	io.ReadCloser
	left int64
	done context.CancelFunc
}

var errResponseTooLarge = errors.New("response is too large")

func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		c.done()
		return 0, errResponseTooLarge
	}
	n, err := c.ReadCloser.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err != nil {
		c.done()
	}
	return n, err
}

func (c *capped) Close() error {
	defer c.done()
	return c.ReadCloser.Close()
}
