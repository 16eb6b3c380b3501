package console

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/gantry-ci/gantry/results"
)

// ringSize is how much of the record is in memory: 3 s of a line at 3 Mbaud, which is what a busy disk may take.
const ringSize = 1 << 20

// readSize is the most one Read of the stream is offered.
const readSize = 64 << 10

// record is the file and the ring buffer before it. The byte at offset off is at ring[off%ringSize] while the ring has
// it.
//
//	0        low      flushed      head     head+filling
//	| in file | in file and ring | in ring | being read |
type record struct {
	file  *os.File
	log   *slog.Logger
	clock func() time.Time
	limit *Limit
	ended chan struct{} // closed when err is set

	mu      sync.Mutex
	work    *sync.Cond // the reader and the flusher wait here
	ring    []byte
	base    int64 // where this ring began
	head    int64
	filling int64
	flushed int64
	stopped bool
	err     error         // why there will be no more bytes, for cursors
	failed  error         // why the record could not be written
	more    chan struct{} // closed at the next change; nil when no cursor waits
	woke    time.Time     // when cursors were woken last
	wokeAt  int64         // and what head was
	waker   delayed       // wakes cursors
	flusher delayed       // makes the flusher write what there is
	lines   lineIndex
	times   timeIndex
}

func newRecord(file *os.File, o Options) (*record, error) {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	if _, err := file.ReadAt(make([]byte, 1), 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read back: %w", err) // otherwise slow cursors would be the first to fail
	}
	r := &record{
		file: file, log: o.Logger, clock: o.Clock, limit: o.Limit, ended: make(chan struct{}),
		ring: make([]byte, ringSize), base: size, head: size, flushed: size,
	}
	r.work = sync.NewCond(&r.mu)
	r.waker.do = func() { r.wake(r.clock()) }
	r.flusher.do = r.work.Broadcast
	if err := r.lines.load(io.NewSectionReader(file, 0, size)); err != nil {
		return nil, err
	}
	return r, r.times.open(o.Times)
}

// low is the oldest offset that is still in the ring.
func (r *record) low() int64 { return max(r.base, r.head+r.filling-ringSize) }

// end sets why there will be no more bytes; the first reason stays. The caller holds r.mu.
func (r *record) end(err error) {
	if r.err == nil {
		r.err = err
		close(r.ended)
	}
}

// reserve waits until the next part of the ring is on disk, and returns it to be read into; nil ends the reader.
func (r *record) reserve() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.head-r.flushed > ringSize-readSize && r.err == nil && !r.stopped {
		r.work.Wait()
	}
	if r.stopped {
		r.end(closed(os.ErrClosed))
		r.changed()
	}
	if r.err != nil {
		return nil
	}
	at := r.head % ringSize
	r.filling = min(readSize, ringSize-at)
	return r.ring[at : at+r.filling]
}

// commit makes n bytes readable that were read into the reserved part; err ends the stream.
func (r *record) commit(n int, err error) {
	now := r.clock()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.filling = 0
	if room := r.limit.take(n); room < n {
		n = room
		r.end(results.Failf(results.ClassJob, "console: the target printed more than %d bytes", r.limit.bytes))
	}
	if n > 0 {
		at := r.head % ringSize
		r.lines.add(r.ring[at : at+int64(n)])
		r.times.add(r.head, now)
		r.head += int64(n)
	}
	if err != nil {
		r.end(closed(err))
	}
	if r.err != nil {
		r.changed()
		return
	}
	r.arrived(now)
}

func closed(err error) error {
	return results.Failf(results.ClassInfrastructure, "console closed: %w", err)
}

// stop ends the reader before its next Read.
func (r *record) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	r.changed()
}

// flush writes the ring to the file until the stream has ended and all bytes are written, or a write fails.
func (r *record) flush() {
	defer r.stopTimers()
	for {
		b, times := r.unwritten()
		if b == nil {
			return
		}
		n, err := r.file.Write(b)
		if err == nil && len(times) > 0 {
			err = r.times.write(times)
		}
		r.mu.Lock()
		r.flushed += int64(n)
		if err != nil {
			r.failed = results.Failf(results.ClassInfrastructure, "record the console: %w", err)
			r.end(r.failed)
			r.changed()
		}
		r.work.Broadcast() // the reader may wait for space
		r.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// unwritten waits for bytes that are not on disk; nil when there will be none.
func (r *record) unwritten() (b, times []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.err == nil && r.head-r.flushed < flushSize && (r.head == r.flushed || !r.flusher.due) {
		r.work.Wait()
	}
	if r.flushed == r.head {
		return nil, nil
	}
	r.flusher.due = false
	at := r.flushed % ringSize
	return r.ring[at:min(at+r.head-r.flushed, ringSize)], r.times.unwritten()
}

// readAt reads bytes at off without waiting for any; it returns 0 where there are none yet.
func (r *record) readAt(p []byte, off int64) (int, error) {
	r.mu.Lock()
	low, head := r.low(), r.head
	if off >= low {
		defer r.mu.Unlock()
		if off >= head {
			return 0, nil
		}
		at := off % ringSize
		return copy(p, r.ring[at:min(at+head-off, ringSize)]), nil
	}
	r.mu.Unlock()
	p = p[:min(int64(len(p)), low-off)]
	n, err := r.file.ReadAt(p, off)
	if n > 0 {
		return n, nil
	}
	return 0, results.Failf(results.ClassInfrastructure, "read back the console record: %w", err)
}

func (r *record) size() int64 {
	size, _ := r.state()
	return size
}

func (r *record) state() (size int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.head, r.err
}

func (r *record) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}
