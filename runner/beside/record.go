package beside

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gantry-ci/gantry/results"
)

// DefaultMaxRecord is how many bytes a record holds: 100,000 results take about as many.
const DefaultMaxRecord = 32 << 20

// readSize is the most that is read at once, by the recorder and by each follower.
const readSize = 64 << 10

// RecordOptions are those of a Record.
type RecordOptions struct {
	Name   string       // of the guest whose record it is; the first has none
	Max    int64        // bytes of the record; 0 is DefaultMaxRecord
	Logger *slog.Logger // nil discards
}

// Record keeps what a stream of copies brings, and lets tests follow it. The stream is read to its end whatever comes,
// because a target that writes to a device nobody reads waits. What is kept is bounded, because a test may write to the
// device as well, as much as it likes: beyond the bound the console alone has the results.
type Record struct {
	stream io.ReadCloser
	file   *os.File
	log    *slog.Logger
	done   chan struct{} // closed when there will be no more bytes

	closing sync.Once
	closed  error

	mu      sync.Mutex
	size    int64 // of the record
	max     int64
	dropped int64
	more    chan struct{} // closed at the next change
}

// OpenRecord starts to read the stream into the record in a run's folder, after what an earlier stream left there. The
// record owns the stream from then on; after an error the caller still does.
func OpenRecord(dir string, stream io.ReadCloser, o RecordOptions) (*Record, error) {
	f, err := os.OpenFile(filepath.Join(dir, results.CopiesFile(o.Name)), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("record the results device: %w", err), f.Close())
	}
	if o.Max <= 0 {
		o.Max = DefaultMaxRecord
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Record{
		stream: stream, file: f, log: o.Logger, size: size, max: o.Max,
		done: make(chan struct{}), more: make(chan struct{}),
	}
	go r.read()
	return r, nil
}

// endLimit is how long the end of a stream may take whose target is off: the socket's buffer, a megabyte, has to be
// written to a disk that may be busy.
const endLimit = 10 * time.Second

// Finish reads what a target that is off has left in the stream, for no longer than endLimit, and closes the record.
func (r *Record) Finish() error {
	limit := time.NewTimer(endLimit)
	defer limit.Stop()
	select {
	case <-r.done:
	case <-limit.C:
		r.log.Warn("the results device does not end; what it still has is lost", "limit", endLimit)
	}
	return r.Close()
}

// Close ends the reading, whatever the stream still has, and closes the record. A second Close returns what the first
// one did.
func (r *Record) Close() error {
	r.closing.Do(func() {
		err := r.stream.Close()
		<-r.done
		r.closed = errors.Join(err, r.file.Close())
	})
	return r.closed
}

// Size is how many bytes the record has now.
func (r *Record) Size() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.size
}

// Dropped is how many bytes came that the record has no room for.
func (r *Record) Dropped() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dropped
}

func (r *Record) read() {
	defer close(r.done)
	buf := make([]byte, readSize)
	for {
		n, err := r.stream.Read(buf)
		r.keep(buf[:n])
		if err != nil {
			return // the target is gone, or the record was closed
		}
	}
}

// keep writes what there is room for, and wakes the followers.
func (r *Record) keep(b []byte) {
	r.mu.Lock()
	room := min(r.max-r.size, int64(len(b)))
	at := r.size
	r.mu.Unlock()
	var n int
	var err error
	if room = max(room, 0); room > 0 {
		n, err = r.file.WriteAt(b[:room], at)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.dropped == 0
	r.size += int64(n)
	r.dropped += int64(len(b) - n)
	switch {
	case err != nil && r.max > r.size:
		r.max = r.size // a record never has a hole in it
		r.log.Error("write the results device's record; the console alone has the results now", "err", err)
	case first && r.dropped > 0:
		r.log.Warn("the results device sent too much; the console alone has the results now", "limit", r.max)
	}
	if n > 0 {
		close(r.more)
		r.more = make(chan struct{})
	}
}

// Follow feeds the record's bytes from an offset on, as they come, until ctx or the stream ends; what was recorded by
// then is still fed. The slice is valid until feed returns.
func (r *Record) Follow(ctx context.Context, from int64, feed func([]byte)) {
	buf := make([]byte, readSize)
	for last := false; ; {
		r.mu.Lock()
		size, more := r.size, r.more
		r.mu.Unlock()
		for from < size {
			n, err := r.file.ReadAt(buf[:min(size-from, readSize)], from)
			feed(buf[:n])
			from += int64(n)
			if err != nil && n == 0 {
				r.log.Error("read the results device's record", "err", err)
				return
			}
		}
		if last {
			return
		}
		select {
		case <-more:
		case <-r.done:
			last = true
		case <-ctx.Done():
			last = true
		}
	}
}
