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

// GitHub's secondary limits of requests that create content, an installation; and how far we go ourselves.
const (
	writesPerMinute = 80
	writesPerHour   = 500
	defaultWait     = time.Minute // GitHub's advice when a limit says no time
	maxWait         = time.Hour   // the longest window GitHub has; a later reset is not believed
	maxResponse     = 8 << 20     // of the calls here none is larger
)

// window counts requests of a fixed span.
type window struct {
	span  time.Duration
	limit int
	start time.Time
	used  int
}

// wait is how long until there is a place; zero is now.
func (w *window) wait(now time.Time) time.Duration {
	if now.Sub(w.start) >= w.span {
		w.start, w.used = now, 0
	}
	if w.used >= w.limit {
		return w.start.Add(w.span).Sub(now)
	}
	return 0
}

// limiter is the transport of an installation: it holds GitHub's limits, and turns being limited into LimitError
// before go-github sees it, which would lock its client for as long as the answer says.
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
			_ = r.Body.Close() // a RoundTripper always does
		}
		return nil, err
	}
	// Not the client's Timeout, which needs a Close of the body: go-github forgets that after an error.
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
	// go-github would refuse calls by itself until the reset it reads here; the answer that says so is ours to handle.
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

// limited says how long an answer asks to wait, and which limit it names; none is "".
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
	if r.StatusCode == http.StatusTooManyRequests || saysLimit(r) {
		return defaultWait, "secondary"
	}
	return 0, ""
}

// saysLimit looks for a limit in the text of an answer: GitHub's secondary limits do not always come with headers. It
// leaves the body to be read again.
func saysLimit(r *http.Response) bool {
	head, err := io.ReadAll(io.LimitReader(r.Body, maxRefusal))
	r.Body = &rejoined{io.MultiReader(bytes.NewReader(head), r.Body), r.Body}
	return err == nil && bytes.Contains(bytes.ToLower(head), []byte("rate limit"))
}

// maxRefusal is how much of a 403 is looked at.
const maxRefusal = 8 << 10

// rejoined is a body whose beginning was read already.
type rejoined struct {
	io.Reader
	io.Closer
}

func clamp(d time.Duration) time.Duration { return min(max(d, time.Second), maxWait) }

// capped is a body that ends in an error when it is too large. At its end it frees what the request held.
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
