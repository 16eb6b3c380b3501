package console

import (
	"context"
	"sync"
	"time"
)

// Bytes are gathered before they are written and before cursors are woken, or a fast stream in small pieces would cost
// more in system calls than in work: after a pause the first bytes wake at once, later ones when there are enough of
// them, or after the delay.
const (
	wakeSize   = 32 << 10
	wakeDelay  = time.Millisecond
	flushSize  = 64 << 10
	flushDelay = 10 * time.Millisecond // what a crash of the runner may cost of the record
)

// changed wakes whoever waits; r.mu is held.
func (r *record) changed() {
	r.work.Broadcast()
	r.wake(r.woke)
}

// wake wakes the cursors; r.mu is held.
func (r *record) wake(now time.Time) {
	r.woke, r.wokeAt = now, r.head
	if r.more != nil {
		close(r.more)
		r.more = nil
	}
}

// arrived wakes whom new bytes concern, now or soon; r.mu is held.
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

// delayed does something a little later, once however often it is asked for until then.
type delayed struct {
	do    func()
	timer *time.Timer
	due   bool // the time has come; who does it sets it back
	armed bool
}

// after is called with mu held, and so is do.
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

// wait returns when there are bytes at off; when there will be none, or ctx ends, it says why.
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

// rest stops the timers: nothing will need them.
func (r *record) rest() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range []*delayed{&r.waker, &r.flusher} {
		if d.timer != nil {
			d.timer.Stop()
		}
	}
}
