// Package port records what a target sends by its results device beside the console, and lets a test follow it.
//
// The device is read to the target's end whatever comes, because a target that writes to a port nobody reads waits.
// What is kept is bounded: a test may write to the device as well, as much as it likes. Beyond the bound the console
// alone has the results.
package port

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

// File is the record's name in a run's folder: the device's bytes, as they came.
const File = "results.dev"

// DefaultMax is how much a record holds: 100,000 results take about that much.
const DefaultMax = 32 << 20

// readSize is the most that is read at once, by the recorder and by each follower.
const readSize = 64 << 10

// Options are a port's.
type Options struct {
	Max    int64 // bytes of the record; 0 is DefaultMax
	Logger *slog.Logger
}

// Port is a results device of a running target, and its record.
type Port struct {
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

// Record is New with the record of a run's folder.
func Record(dir string, stream io.ReadCloser, o Options) (*Port, error) {
	f, err := os.OpenFile(filepath.Join(dir, File), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	p, err := New(stream, f, o)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return p, nil
}

// New starts to read the stream and goes on with the record, whose owner the port becomes.
func New(stream io.ReadCloser, record *os.File, o Options) (*Port, error) {
	size, err := record.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("record the results device: %w", err)
	}
	if o.Max <= 0 {
		o.Max = DefaultMax
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Port{
		stream: stream, file: record, log: o.Logger, size: size, max: o.Max,
		done: make(chan struct{}), more: make(chan struct{}),
	}
	go p.record()
	return p, nil
}

// Close ends the reading and closes the record. A second Close says what the first one did.
func (p *Port) Close() error {
	p.closing.Do(func() {
		err := p.stream.Close()
		<-p.done
		p.closed = errors.Join(err, p.file.Close())
	})
	return p.closed
}

// Size is the record's now.
func (p *Port) Size() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size
}

// Dropped is how many bytes the record does not have.
func (p *Port) Dropped() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dropped
}

func (p *Port) record() {
	defer close(p.done)
	buf := make([]byte, readSize)
	for {
		n, err := p.stream.Read(buf)
		p.keep(buf[:n])
		if err != nil {
			return // the target is gone, or the port was closed
		}
	}
}

// keep writes what there is room for.
func (p *Port) keep(b []byte) {
	p.mu.Lock()
	room := min(p.max-p.size, int64(len(b)))
	at := p.size
	p.mu.Unlock()
	var n int
	var err error
	if room = max(room, 0); room > 0 {
		n, err = p.file.WriteAt(b[:room], at)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	first := p.dropped == 0
	p.size += int64(n)
	p.dropped += int64(len(b) - n)
	switch {
	case err != nil && p.max > p.size:
		p.max = p.size // never with a hole in it
		p.log.Error("write the results device's record; the console alone has the results now", "err", err)
	case first && p.dropped > 0:
		p.log.Warn("the results device sent too much; the console alone has the results now", "limit", p.max)
	}
	if n > 0 {
		close(p.more)
		p.more = make(chan struct{})
	}
}

// Follow feeds the record's bytes from an offset on, as they come, until ctx ends or the target does; what was recorded
// by then is still fed.
func (p *Port) Follow(ctx context.Context, from int64, feed func([]byte)) {
	buf := make([]byte, readSize)
	for last := false; ; {
		p.mu.Lock()
		size, more := p.size, p.more
		p.mu.Unlock()
		for from < size {
			n, err := p.file.ReadAt(buf[:min(size-from, readSize)], from)
			feed(buf[:n])
			from += int64(n)
			if err != nil && n == 0 {
				p.log.Error("read the results device's record", "err", err)
				return
			}
		}
		if last {
			return
		}
		select {
		case <-more:
		case <-p.done:
			last = true
		case <-ctx.Done():
			last = true
		}
	}
}
