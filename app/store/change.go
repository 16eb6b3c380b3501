package store

import "sync"

// Change says, after its commit, where there may be work now. It is a hint: whoever misses one, as another replica
// does, finds the work when it looks again.
type Change struct {
	Queue  bool   // a run waits, or a target became idle
	Runner string // has a lease to be told of, or a cancel
}

// subscribers are who is told of changes. The zero value is ready.
type subscribers struct {
	mu   sync.RWMutex
	next int
	fs   map[int]func(Change)
}

// Subscribe has f called after each commit that makes work, until stop is called. f must not block.
func (s *Store) Subscribe(f func(Change)) (stop func()) {
	c := &s.changes
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fs == nil {
		c.fs = map[int]func(Change){}
	}
	id := c.next
	c.next++
	c.fs[id] = f
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.fs, id)
	}
}

// tell tells the subscribers, once tx is committed.
func (s *Store) tell(tx *Tx, c Change) {
	tx.AfterCommit(func() {
		s.changes.mu.RLock()
		defer s.changes.mu.RUnlock()
		for _, f := range s.changes.fs {
			f(c)
		}
	})
}
