package api

import (
	"context"
	"errors"
	"sync"
)

// Reasons for the end of a stream.
var (
	errReplaced = errors.New("the runner has a newer stream")
	errClosed   = errors.New("the app is stopping")
)

// streams are the streams of the runners that are connected to this replica. The zero value is ready for use.
type streams struct {
	mu     sync.Mutex
	closed error
	m      map[string]*stream // by runner
}

// stream is the stream of one runner. wake holds one token: whoever takes it reads all there is to do.
type stream struct {
	session    string
	wake       chan struct{}
	end        context.CancelCauseFunc
	registered bool // its session is in the database
}

// attach makes session the runner's only stream, and ends an older one.
func (s *streams) attach(runner, session string, end context.CancelCauseFunc) *stream {
	st := &stream{session: session, wake: make(chan struct{}, 1), end: end}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil {
		end(s.closed)
		return st
	}
	if s.m == nil {
		s.m = map[string]*stream{}
	}
	if old := s.m[runner]; old != nil {
		old.end(errReplaced)
	}
	s.m[runner] = st
	return st
}

// detach removes the stream, unless a newer one has replaced it.
func (s *streams) detach(runner string, st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m[runner] == st {
		delete(s.m, runner)
	}
}

// register records that the database has the stream's session.
func (s *streams) register(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.registered = true
}

// wake makes the runner's stream read what there is to do. It never blocks.
func (s *streams) wake(runner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.m[runner]; st != nil {
		select {
		case st.wake <- struct{}{}:
		default:
		}
	}
}

// keepOnly ends the streams that are no longer their runner's newest.
func (s *streams) keepOnly(sessions map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for runner, st := range s.m {
		if st.registered && sessions[runner] != st.session {
			st.end(errReplaced)
		}
	}
}

// close ends all streams, and those that are attached later.
func (s *streams) close(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = cause
	for _, st := range s.m {
		st.end(cause)
	}
}

// count is how many runners are connected.
func (s *streams) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.m)
}
