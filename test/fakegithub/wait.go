package fakegithub

import (
	"context"
	"fmt"
)

// Wait returns when cond holds, or with ctx's cause. It asks at once and again
// after each request and each delivery; cond may call the server's methods.
func (s *Server) Wait(ctx context.Context, cond func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if cond() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// WaitCheckRun returns the first check run that matches, oldest first. The error
// of a wait in vain lists the check runs that there are.
func (r *Repo) WaitCheckRun(ctx context.Context, match func(CheckRun) bool) (CheckRun, error) {
	var found CheckRun
	err := r.server.Wait(ctx, func() bool {
		for _, run := range r.CheckRuns() {
			if match(run) {
				found = run
				return true
			}
		}
		return false
	})
	if err != nil {
		var have []string
		for _, run := range r.CheckRuns() {
			have = append(have, fmt.Sprintf("%s %v", run.Name, run.History))
		}
		return CheckRun{}, fmt.Errorf("wait for a check run of %s: %w; there are %q", r.FullName(), err, have)
	}
	return found, nil
}

// Completed matches a completed check run of a name; "" matches any.
func Completed(name string) func(CheckRun) bool {
	return func(run CheckRun) bool { return run.Status == "completed" && (name == "" || run.Name == name) }
}

// wake tells the waiting that something happened. The lock is held.
func (s *Server) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}
