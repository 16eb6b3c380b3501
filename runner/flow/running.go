package flow

import (
	"context"
	"slices"
	"sync"
	"time"
)

// readWait is how long what the kernel says waits for the reader of results to come as far: that takes milliseconds,
// and on a machine with many guests longer. A finding without its case is better than none.
const readWait = 3 * time.Second

// maxChanges bounds the changes of the case that are remembered: a chunk of the console holds no more of them.
const maxChanges = 1024

// running is what runs on a session. Two read its console, one for results and one for kernel trouble: which case a
// line of it is of is known when the first has come as far.
type running struct {
	mu      sync.Mutex
	changes []change // of the case, the last ones
	count   int      // of all changes
	bound   bool     // what runs ends with the system

	reading bool
	read    int64         // how far
	moved   chan struct{} // closed at the next move of the reader; nil while nobody waits
}

// change is a case that begins on a line of the console; "", "" between cases.
type change struct {
	line        int
	suite, name string
}

// SetCase says which case is running from a line of the session's console on, as far as the target tells; "", ""
// between cases.
func (r *running) SetCase(line int, suite, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.changes) == maxChanges {
		r.changes = append(r.changes[:0], r.changes[maxChanges/2:]...)
	}
	r.changes = append(r.changes, change{line, suite, name})
	r.count++
}

// Tested reports whether a case has run since the session began.
func (r *running) Tested() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.changes) > 0
}

// clear forgets the cases of an earlier boot.
func (r *running) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes = nil
}

// CaseAt is the case that ran when the console printed the line.
func (r *running) CaseAt(line int) (suite, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range slices.Backward(r.changes) {
		if c.line <= line {
			return c.suite, c.name
		}
	}
	return "", ""
}

// Progress changes whenever the running test goes on to another case.
func (r *running) Progress() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// BeginReading says that the console is read for results, from an offset on. Read says how far, and EndReading that all
// is reported that will be.
func (r *running) BeginReading(from int64) { r.move(true, from) }

// Read says that what the console printed before the offset has been reported.
func (r *running) Read(to int64) { r.move(true, to) }

// EndReading says that the console is read for results no more.
func (r *running) EndReading() { r.move(false, 0) }

func (r *running) move(reading bool, to int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reading, r.read = reading, to
	if r.moved != nil {
		close(r.moved)
		r.moved = nil
	}
}

// AwaitRead waits until what the console printed before the offset has been reported, if somebody reads it for results.
// It waits no longer than readWait.
func (r *running) AwaitRead(ctx context.Context, to int64) {
	moved := r.behind(to)
	if moved == nil {
		return // as for each piece of a console that nobody reads for results
	}
	ctx, cancel := context.WithTimeout(ctx, readWait)
	defer cancel()
	for ; moved != nil; moved = r.behind(to) {
		select {
		case <-moved:
		case <-ctx.Done():
			return
		}
	}
}

// behind is nil when nobody reads, or has come as far; else it is closed when the reader moves on.
func (r *running) behind(to int64) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.reading || r.read >= to {
		return nil
	}
	if r.moved == nil {
		r.moved = make(chan struct{})
	}
	return r.moved
}

// Bind says that a program runs on the system which ends with it, so that a restart, even an ordered one, breaks the
// step; the function returned says that it has ended.
func (r *running) Bind() (free func()) {
	set := func(to bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bound = to
	}
	set(true)
	return func() { set(false) }
}

// Bound reports whether such a program runs.
func (r *running) Bound() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bound
}
