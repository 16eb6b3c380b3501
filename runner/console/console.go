package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/gantry-ci/gantry/results"
)

// closeLimit is how long Close waits for the stream's Read and the record's Write to return. Both are local: when they
// need longer, a driver or a disk hangs.
const closeLimit = 10 * time.Second

// emptyReads is how many consecutive reads without bytes and without error end the stream.
const emptyReads = 100

// Options are what a Console may be given.
type Options struct {
	Logger *slog.Logger     // nil discards
	Clock  func() time.Time // nil for time.Now
	Times  *os.File         // where arrival times are written, a results.Arrival a line; nil for nowhere
	Name   string           // of the console; the first console has none
	Limit  *Limit           // of the record's bytes, nil for none; exceeding it ends the stream, and is the job's fault
}

// Console is a serial stream being read and recorded. Its methods may be called from several goroutines.
type Console struct {
	name   string
	rw     io.ReadWriteCloser
	rec    *record
	begin  int64 // of the stream, in the record
	log    *slog.Logger
	token  chan struct{} // holds the right to write while a session has it
	writes chan write
	closed chan struct{} // Close was called
	done   chan struct{} // the goroutines have ended
	once   sync.Once
	err    error // of Close
}

// New starts to read rw, to its end or until Close, and appends the bytes to file. The file must be open for reading
// and writing; it stays open, and belongs to the Console until Close has returned. Offsets are those of the file, so
// that a stream that is opened again, after a power cycle, continues the record. Close closes rw.
func New(rw io.ReadWriteCloser, file *os.File, o Options) (*Console, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	rec, err := newRecord(file, o)
	if err != nil {
		return nil, results.Failf(results.ClassInfrastructure, "open the console record: %w", err)
	}
	c := &Console{
		name: o.Name, rw: rw, rec: rec, begin: rec.size(), log: o.Logger,
		token: make(chan struct{}, 1), writes: make(chan write), closed: make(chan struct{}), done: make(chan struct{}),
	}
	var wg sync.WaitGroup
	wg.Go(c.read)
	wg.Go(rec.flush)
	wg.Go(c.write)
	go func() {
		wg.Wait()
		close(c.done)
	}()
	return c, nil
}

// Begin is the offset of the stream's first byte: what was in the record before is of an earlier boot.
func (c *Console) Begin() int64 { return c.begin }

// Name is the console's name; the first one has none.
func (c *Console) Name() string { return c.name }

// read is the one reader.
func (c *Console) read() {
	empty := 0
	for {
		buf := c.rec.reserve()
		if buf == nil {
			return
		}
		n, err := c.rw.Read(buf)
		if errors.Is(err, syscall.EIO) && n == 0 {
			// Linux may find the other end of a terminal closed after it checked for bytes and before the last ones
			// arrived. Those can still be read: only a second EIO is the end.
			n, err = c.rw.Read(buf)
		}
		if empty++; n > 0 {
			empty = 0
		}
		if err == nil && empty == emptyReads {
			err = io.ErrNoProgress
		}
		c.rec.commit(n, err)
		if err != nil {
			c.log.Debug("console ended", "offset", c.rec.size(), "cause", err)
			return
		}
	}
}

// Close closes the stream, and waits until all bytes that were read are in the record. Its error says why they are not.
// Later calls return the result of the first one.
func (c *Console) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.rec.stop()
		err := c.rw.Close()
		if errors.Is(err, os.ErrClosed) {
			err = nil
		}
		limit := time.NewTimer(closeLimit)
		defer limit.Stop()
		select {
		case <-c.done:
		case <-limit.C:
			err = errors.Join(err, fmt.Errorf("reader or record did not end within %s", closeLimit))
		}
		if err = errors.Join(err, c.rec.failure()); err != nil {
			c.err = results.Blame(results.ClassInfrastructure, fmt.Errorf("close the console: %w", err))
		}
	})
	return c.err
}

// Ended is closed when the stream has ended or the record cannot be written, for those who do not read the console.
func (c *Console) Ended() <-chan struct{} { return c.rec.ended }

// Err is nil until Ended is closed, then why: a failure of class infrastructure.
func (c *Console) Err() error {
	_, err := c.rec.state()
	return err
}

// Size is how many bytes the record has, those not yet on disk included.
func (c *Console) Size() int64 { return c.rec.size() }

// LineAt is the 1-based line, by \n, of the record in which offset off lies.
func (c *Console) LineAt(off int64) int { return c.rec.lineAt(off) }

// ReadAt reads the record as io.ReaderAt does, including the bytes that are not on disk yet.
func (c *Console) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		m, err := c.rec.readAt(p[n:], off+int64(n))
		if err != nil {
			return n, err
		}
		if m == 0 {
			return n, io.EOF
		}
		n += m
	}
	return n, nil
}

// From returns a cursor at offset off.
func (c *Console) From(off int64) *Cursor { return &Cursor{rec: c.rec, off: off} }

// lateSize is the most bytes a Cursor returns after its ctx has ended: a result that arrived in time counts, and a
// flood ends all the same.
const lateSize = ringSize

// cursorBuffer is the most that one Next returns.
const cursorBuffer = 64 << 10

// Cursor is one subscriber's place in the record. It is used by one goroutine at a time.
type Cursor struct {
	rec  *record
	off  int64
	buf  []byte
	last int64 // where reading stops after ctx has ended; 0 before
}

// Offset is where the next Next reads.
func (u *Cursor) Offset() int64 { return u.off }

// Next waits for bytes after the cursor and returns them; they are valid until the next call. After ctx has ended it
// returns the bytes that had arrived by then, at most lateSize, and then context.Cause(ctx). After the stream has ended
// and all bytes were returned, it returns an error of class infrastructure.
func (u *Cursor) Next(ctx context.Context) ([]byte, error) {
	if ctx.Err() == nil {
		u.last = 0
	} else if u.last == 0 {
		u.last = min(u.rec.size(), u.off+lateSize)
	}
	if u.last > 0 && u.off >= u.last {
		return nil, context.Cause(ctx)
	}
	if u.buf == nil {
		u.buf = make([]byte, cursorBuffer)
	}
	if err := u.rec.wait(ctx, u.off); err != nil {
		return nil, err
	}
	n, err := u.rec.readAt(u.buf, u.off)
	u.off += int64(n)
	return u.buf[:n], err
}
