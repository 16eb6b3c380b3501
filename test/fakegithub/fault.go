package fakegithub

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

// Fault breaks requests on purpose. A broken request is no violation, and does
// not reach the state unless the fault is LoseReply or Slow.
type Fault struct {
	// Method and PathPrefix choose the requests; empty matches all. The path is
	// without /api/v3.
	Method     string
	PathPrefix string
	// Skip lets that many matching requests through first.
	Skip int
	// Times is how many requests to break; 1 when zero.
	Times int

	status    int
	secondary bool
	header    http.Header
	message   string
	delay     time.Duration
	drop      bool // close the connection without an answer
	work      bool // but do what was asked first
}

// PrimaryLimit answers 403 as when the hourly budget is spent, until reset.
func PrimaryLimit(reset time.Time) Fault {
	return Fault{
		status: http.StatusForbidden, message: "API rate limit exceeded for installation.",
		header: http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {fmt.Sprint(reset.Unix())}},
	}
}

// SecondaryLimit answers status (403 or 429) with Retry-After, as GitHub does to
// who asks too much too fast.
func SecondaryLimit(status int, retryAfter time.Duration) Fault {
	return Fault{
		status: status, secondary: true,
		message: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
		header:  http.Header{"Retry-After": {fmt.Sprint(int(retryAfter.Seconds()))}},
	}
}

// ServerError answers status, 500 to 599, and does nothing.
func ServerError(status int) Fault { return Fault{status: status, message: "Server Error"} }

// Slow answers as usual, after a wait.
func Slow(by time.Duration) Fault { return Fault{delay: by, work: true} }

// Drop closes the connection before the request is looked at.
func Drop() Fault { return Fault{drop: true} }

// LoseReply does what is asked and closes the connection without an answer: the
// case in which a client must find out whether its check run was made.
func LoseReply() Fault { return Fault{drop: true, work: true} }

// On restricts the fault to a method and to paths that begin with prefix.
func (f Fault) On(method, prefix string) Fault {
	f.Method, f.PathPrefix = method, prefix
	return f
}

// Inject adds a fault; the first that matches a request breaks it.
func (s *Server) Inject(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// ClearFaults takes back all faults that have not happened yet.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

func (s *Server) takeFault(r *http.Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.Method != "" && f.Method != r.Method || !strings.HasPrefix(r.URL.Path, f.PathPrefix) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times--; f.Times == 0 {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
		}
		return f
	}
	return nil
}

// before does what comes before the request's work; done says that there is none.
func (f *Fault) before(c *call) (out reply, done bool) {
	if f == nil {
		return reply{}, false
	}
	if f.delay > 0 {
		select {
		case <-time.After(f.delay):
		case <-c.r.Context().Done():
		case <-c.alive.Done():
		}
	}
	if f.work {
		return reply{}, false
	}
	if f.drop {
		return reply{}, true
	}
	if f.secondary {
		out = secondaryLimit(f.status, f.message).encode()
	} else {
		out = failure(f.status, f.message).encode()
	}
	maps.Copy(out.header, f.header)
	return out, true
}

func (f *Fault) losesReply() bool { return f != nil && f.drop }
