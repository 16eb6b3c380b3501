package console

import (
	"context"
	"sync"
	"time"
)

// Bytes are gathered before they are written and before cursors are woken, as a fast stream in small pieces would cost
// mostly system calls. The first bytes after a pause wake the cursors immediately, later ones when there are enough of
// them or after the delay.
const (
	wakeSize   = 32 << 10
	wakeDelay  = time.Millisecond
	flushSize  = 64 << 10
	flushDelay = 10 * time.Millisecond // how much of the record a crash of the runner may lose
)

// changed wakes the reader, the flusher and the cursors. The caller holds r.mu.
func (r *record) changed() {
	r.work.Broadcast()
	r.wake(r.woke)
}

// wake wakes the cursors. The caller holds r.mu.
func (r *record) wake(now time.Time) {
	r.woke, r.wokeAt = now, r.head
	if r.more != nil {
		close(r.more)
		r.more = nil
	}
}

// arrived wakes the flusher and the cursors for new bytes, now or after a delay. The caller holds r.mu.
func (r *record) arrived(now time.Time) {
	if r.head-r.flushed >= flushSize {
		r.work.Broadcast()
	} else {
		r.flusher.after(flushDelay, &r.mu)
	}
	switch {
	case r.more == nil:
	case r.head-r.wokeAt >= wakeSize, now.Sub(r.woke) >= wakeDelay:
		r.wake(now)
	default:
		r.waker.after(wakeDelay, &r.mu)
	}
}

// delayed does something after a delay, only once for all requests until then.
type delayed struct {
	do    func()
	timer *time.Timer
	due   bool // the delay is over; the goroutine that acts on it resets it
	armed bool
}

// after requests it. The caller holds mu, and mu is held while do runs.
func (d *delayed) after(delay time.Duration, mu *sync.Mutex) {
	if d.armed {
		return
	}
	d.armed = true
	if d.timer != nil {
		d.timer.Reset(delay)
		return
	}
	d.timer = time.AfterFunc(delay, func() {
		mu.Lock()
		defer mu.Unlock()
		d.armed, d.due = false, true
		d.do()
	})
}

// wait returns nil when there are bytes at off, and an error when there will be none or ctx has ended.
func (r *record) wait(ctx context.Context, off int64) error {
	for {
		r.mu.Lock()
		if r.head > off {
			r.mu.Unlock()
			return nil
		}
		if r.err != nil {
			defer r.mu.Unlock()
			return r.err
		}
		if r.more == nil {
			r.more = make(chan struct{})
		}
		more := r.more
		r.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// stopTimers is for the end of the record.
func (r *record) stopTimers() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range []*delayed{&r.waker, &r.flusher} {
		if d.timer != nil {
			d.timer.Stop()
		}
	}
}
