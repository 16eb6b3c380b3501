package console

import "sync"

// Limit is how many bytes consoles may print together. The methods may be called by several goroutines.
type Limit struct {
	bytes int64

	mu   sync.Mutex
	used int64
}

// NewLimit allows that many bytes; none, nil, is no limit.
func NewLimit(bytes int64) *Limit {
	if bytes <= 0 {
		return nil
	}
	return &Limit{bytes: bytes}
}

// take uses up to n bytes of the limit, and returns how many of them it allows.
func (l *Limit) take(n int) int {
	if l == nil {
		return n
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n = int(min(int64(n), l.bytes-l.used))
	l.used += int64(n)
	return n
}
