package netboot

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
)

// shares are the folders that a service serves, by their secrets.
type shares struct {
	mu     sync.Mutex
	all    map[string]*share
	closed bool
}

// share is the folder of one lease.
type share struct {
	lease  string
	folder *os.Root
	end    context.Context //nolint:containedctx // ends the requests of this folder, whoever made them
	stop   context.CancelFunc
	open   sync.WaitGroup // requests
	free   chan struct{}  // how many more there may be
}

// maxShare is how many requests of one folder are answered at a time: a target that keeps asking leaves others room.
const maxShare = 16

// errBusy is the error of a request beyond those.
var errBusy = fmt.Errorf("more than %d requests at a time", maxShare)

// errClosed is the error of a service that has been closed.
var errClosed = errors.New("the service has ended")

// add serves a folder until end is called; end waits for the requests that it cuts off, and closes the folder.
func (s *shares) add(lease string, folder *os.Root) (secret string, end func() error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", nil, errClosed
	}
	sh := &share{lease: lease, folder: folder, free: make(chan struct{}, maxShare)}
	sh.end, sh.stop = context.WithCancel(context.Background())
	secret = strings.ToLower(rand.Text()) // 128 bits, in letters that every boot loader can type
	if s.all == nil {
		s.all = map[string]*share{}
	}
	s.all[secret] = sh
	return secret, func() error {
		s.mu.Lock()
		delete(s.all, secret)
		s.mu.Unlock()
		sh.stop()
		sh.open.Wait()
		return folder.Close()
	}, nil
}

// close ends all requests, and lets no folder be added any more.
func (s *shares) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, sh := range s.all {
		sh.stop()
	}
}

// file is a file that is being read.
type file struct {
	*os.File
	info  fs.FileInfo
	share *share
	name  string // below the folder: what may be logged
}

// close ends the request.
func (f *file) close() {
	_ = f.File.Close() // only read
	f.share.leave()
}

// open opens the file that a request calls SECRET/NAME. Its errors are for the log: a client gets the same answer for
// all of them but errBusy.
func (s *shares) open(request string) (*file, error) {
	secret, name, _ := strings.Cut(strings.TrimLeft(request, "/"), "/")
	sh, err := s.enter(secret)
	if err != nil {
		return nil, err
	}
	f, err := sh.file(name)
	if err != nil {
		sh.leave()
		return nil, fmt.Errorf("lease %s: %w", sh.lease, err)
	}
	return f, nil
}

// enter begins a request of the folder with this secret.
func (s *shares) enter(secret string) (*share, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.all[secret]
	if sh == nil {
		return nil, fs.ErrNotExist
	}
	select {
	case sh.free <- struct{}{}:
	default:
		return nil, fmt.Errorf("lease %s: %w", sh.lease, errBusy)
	}
	sh.open.Add(1)
	return sh, nil
}

// leave ends it.
func (sh *share) leave() {
	<-sh.free
	sh.open.Done()
}

// atEnd calls f when the folder is taken back, unless stop is called before.
func (sh *share) atEnd(f func()) (stop func() bool) { return context.AfterFunc(sh.end, f) }

// file opens a file of the folder. Opening is non-blocking, because opening a FIFO would hang; anything but a
// regular file is refused.
func (sh *share) file(name string) (*file, error) {
	f, err := sh.folder.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("open %s: it is no file", name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &file{File: f, info: info, share: sh, name: name}, nil
}
