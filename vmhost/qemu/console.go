package qemu

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gantry-ci/gantry/vmhost/vm"
)

// socketBuffer holds what a guest prints while the reader is busy; when it is full, the guest's UART waits.
const socketBuffer = 1 << 20

// errOpen is a second reader.
var errOpen = errors.New("it is open already")

// stream is the console of one life of a guest: a pair of connected sockets. It outlives its readers, so that a console
// can be closed and opened again.
type stream struct {
	host  *net.UnixConn
	guest *os.File      // the process's end, nil once it was handed over
	gone  chan struct{} // closed when the process is reaped, or never came to be

	mu     sync.Mutex
	reader *console // nil when closed
	used   bool
	over   bool // the guest is gone: nobody needs host after the reader
}

// socketPair is two connected stream sockets: ours, and one for a child.
func socketPair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	for _, fd := range fds { // best effort: the default works as well
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, socketBuffer)
	}
	ours := os.NewFile(uintptr(fds[0]), "socket")
	defer func() { _ = ours.Close() }()
	theirs := os.NewFile(uintptr(fds[1]), "socket")
	c, err := net.FileConn(ours)
	if err != nil {
		_ = theirs.Close()
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	return c.(*net.UnixConn), theirs, nil
}

func newStream() (*stream, error) {
	host, guest, err := socketPair()
	if err != nil {
		return nil, err
	}
	return &stream{host: host, guest: guest, gone: make(chan struct{})}, nil
}

// handOver gives away the process's end.
func (s *stream) handOver() *os.File {
	f := s.guest
	s.guest = nil
	return f
}

// retire says that the guest is gone. A reader may go on to the end of what was printed.
func (s *stream) retire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leave(); s.reader == nil {
		_ = s.host.Close()
	}
	if s.guest != nil {
		_ = s.guest.Close()
		s.guest = nil
	}
}

// ended is retire for a guest that went by itself: its last words may still be asked for.
func (s *stream) ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leave(); s.used && s.reader == nil {
		_ = s.host.Close()
	}
}

// leave is called with mu held.
func (s *stream) leave() {
	if !s.over {
		s.over = true
		close(s.gone)
	}
}

// reapLimit is how long the end of a console may be held back for the process to be reaped, which takes milliseconds.
const reapLimit = 5 * time.Second

func (s *stream) opened() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

func (s *stream) open() (*console, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reader != nil {
		return nil, errOpen
	}
	if err := s.host.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	s.reader, s.used = &console{stream: s}, true
	return s.reader, nil
}

// console is one reader and writer of a stream.
type console struct {
	stream *stream
	use    sync.RWMutex // held by calls under way
	mu     sync.Mutex
	closed bool
}

var _ io.ReadWriteCloser = (*console)(nil)

func (c *console) do(f func([]byte) (int, error), p []byte) (int, error) {
	c.use.RLock()
	defer c.use.RUnlock()
	if c.isClosed() {
		return 0, os.ErrClosed
	}
	n, err := f(p)
	switch {
	case err == nil:
	case c.isClosed():
		err = os.ErrClosed
	case errors.Is(err, syscall.ECONNRESET): // the guest ended before it read all we sent
		err = io.EOF
	}
	return n, err
}

func (c *console) Read(p []byte) (int, error) {
	n, err := c.do(c.stream.host.Read, p)
	if errors.Is(err, io.EOF) {
		t := time.NewTimer(reapLimit)
		defer t.Stop()
		select {
		case <-c.stream.gone:
		case <-t.C:
		}
	}
	return n, err
}

func (c *console) Write(p []byte) (int, error) {
	n, err := c.do(c.stream.host.Write, p)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF) {
		err = fmt.Errorf("write to the console: %w", vm.ErrOff)
	}
	return n, err
}

func (c *console) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// Close ends calls under way and lets the console be opened again. The guest does not notice.
func (c *console) Close() error {
	c.mu.Lock()
	was := c.closed
	c.closed = true
	c.mu.Unlock()
	if was {
		return nil
	}
	err := c.stream.host.SetDeadline(time.Unix(1, 0))
	c.use.Lock() // all calls are back
	defer c.use.Unlock()
	c.stream.mu.Lock()
	defer c.stream.mu.Unlock()
	if c.stream.reader = nil; c.stream.over {
		return c.stream.host.Close()
	}
	return err
}
