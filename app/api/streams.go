package api

import (
	"context"
	"errors"
	"sync"
)

// Why a stream ends.
var (
	errTakenOver = errors.New("the runner has a newer stream")
	errClosed    = errors.New("the app is stopping")
)

// streams are the runners that are connected here. The zero value is ready.
type streams struct {
	mu     sync.Mutex
	closed error
	m      map[string]*stream // by runner
}

// stream is one runner's. wake holds one token: whoever takes it reads all there is to do.
type stream struct {
	session string
	wake    chan struct{}
	end     context.CancelCauseFunc
	settled bool // its session is in the database
}

// attach makes session the runner's only stream. An older one is ended.
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
		old.end(errTakenOver)
	}
	s.m[runner] = st
	return st
}

// detach forgets the stream, unless a newer one has its place.
func (s *streams) detach(runner string, st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m[runner] == st {
		delete(s.m, runner)
	}
}

// settle notes that the database knows the stream.
func (s *streams) settle(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.settled = true
}

// wake has the runner's stream look for work. It never blocks.
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
		if st.settled && sessions[runner] != st.session {
			st.end(errTakenOver)
		}
	}
}

// close ends all streams, those that come later as well.
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
