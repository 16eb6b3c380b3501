package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"connectrpc.com/connect"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/jobs/rpc"
	"github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
)

const (
	// followInterval is how late new bytes of a stream may be noticed.
	followInterval = 200 * time.Millisecond
	// listInterval is how late a further console may be noticed.
	listInterval = time.Second
	// drainTimeout is how long the upload of the rest may take once a run has ended: 64 MB at 110 KB/s.
	drainTimeout = 10 * time.Minute
)

// uploader follows the streams in a run's folder and uploads them by byte offset. Bytes that are sent twice are stored
// once, and after a crash the next process asks the app where to go on.
type uploader struct {
	a      *Agent
	r      *run
	ended  chan struct{} // closed when the files are complete
	done   chan struct{}
	cancel context.CancelFunc

	streams []lab.Stream // that the folder had at the time listed
	listed  time.Time
}

// startUpload starts an uploader. resume says that an earlier process may have uploaded a part.
func (a *Agent) startUpload(life context.Context, r *run, resume bool) *uploader {
	ctx, cancel := context.WithCancel(life)
	u := &uploader{a: a, r: r, ended: make(chan struct{}), done: make(chan struct{}), cancel: cancel}
	go func() {
		defer close(u.done)
		u.follow(ctx, resume)
	}()
	return u
}

// drain waits until the streams are uploaded as they are now, for at most drainTimeout.
func (u *uploader) drain() { u.drainWithin(drainTimeout) }

func (u *uploader) drainWithin(limit time.Duration) {
	close(u.ended)
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-u.done:
	case <-t.C:
		u.a.log.Warn("upload cut", "run", u.r.Run, "after", limit)
	}
	u.cancel()
	<-u.done
}

// follow uploads until the run has ended and all of it is uploaded, its lease is lost, or ctx ends.
func (u *uploader) follow(ctx context.Context, resume bool) {
	uploads := map[lab.Stream]*streamUpload{}
	defer func() {
		for _, s := range uploads {
			s.close()
		}
	}()
	tick := time.NewTicker(followInterval)
	defer tick.Stop()
	buf := make([]byte, rpc.MaxAppend)
	for failures := 0; ; {
		last := false
		select {
		case <-u.ended:
			last = true // the files do not grow any more
		default:
		}
		moved, failed := u.round(ctx, uploads, resume, last, buf)
		switch {
		case ctx.Err() != nil || u.r.isLost():
			return
		case failed:
			if !u.a.wait(ctx, failures) {
				return
			}
			failures++
		case moved:
			failures = 0
		case last:
			return
		default:
			select {
			case <-ctx.Done():
			case <-u.r.lost:
			case <-u.ended:
			case <-tick.C:
			}
		}
	}
}

// round uploads one batch of each stream, so that a flood on a console does not delay the events.
func (u *uploader) round(
	ctx context.Context, uploads map[lab.Stream]*streamUpload, resume, last bool, buf []byte,
) (moved, failed bool) {
	if last || time.Since(u.listed) >= listInterval {
		if err := u.list(); err != nil { // what is known goes on; the rest is looked for again
			u.a.log.WarnContext(ctx, "upload", "run", u.r.Run, "err", err)
			failed = true
		}
	}
	for _, stream := range u.streams {
		s := uploads[stream]
		if s == nil {
			s = u.stream(stream, resume)
			uploads[stream] = s
		}
		m, err := s.step(ctx, buf)
		moved, failed = moved || m, failed || err != nil
	}
	return moved, failed
}

// list looks for the streams of further consoles.
func (u *uploader) list() error {
	all, err := streams(u.r.dir)
	if err == nil || u.streams == nil {
		u.streams = all
	}
	if err == nil {
		u.listed = time.Now()
	}
	return err
}

// streams are the streams that a run has or will have; those of further consoles once they exist. On an error they are
// those that every run has.
func streams(dir string) ([]lab.Stream, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return lab.Streams(), fmt.Errorf("look for consoles: %w", err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	return append(lab.Streams(), lab.FurtherStreams(names)...), nil
}

func (u *uploader) stream(s lab.Stream, resume bool) *streamUpload {
	return &streamUpload{
		u: u, stream: s, path: filepath.Join(u.r.dir, s.File()), ask: resume,
		log: u.a.log.With("run", u.r.Run, "stream", string(s)),
	}
}

// streamUpload is the upload of one stream.
type streamUpload struct {
	u      *uploader
	stream lab.Stream
	path   string
	log    *slog.Logger
	f      *os.File
	offset int64 // up to which the app has the stream
	ask    bool  // the app must be asked for the offset
	ended  bool  // no more is uploaded
}

func (s *streamUpload) close() {
	if s.f != nil {
		_ = s.f.Close()
	}
}

// step uploads one batch, if there is anything new; moved is true then.
func (s *streamUpload) step(ctx context.Context, buf []byte) (moved bool, err error) {
	if s.ended {
		return false, nil
	}
	n, ok := s.read(buf)
	if !ok {
		return false, nil
	}
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	res, err := s.u.a.client.Append(call, &gantryv1.AppendRequest{
		Lease: s.u.r.Lease, Stream: string(s.stream), Offset: s.offset, Data: buf[:n],
	})
	switch connect.CodeOf(err) {
	case connect.CodeFailedPrecondition:
		s.u.r.lose()
		return false, nil
	case connect.CodeInvalidArgument:
		if s.stream.Further() != "" { // an app of before there were any
			s.log.WarnContext(ctx, "the app takes no further console", "err", err)
			s.ended = true
			return false, nil
		}
		s.giveUp(err)
		return false, nil
	case connect.CodeResourceExhausted:
		s.giveUp(err)
		return false, nil
	}
	if err != nil {
		s.log.WarnContext(ctx, "upload", "err", err)
		return false, err
	}
	// The app may have more or less than expected.
	s.offset, s.ask = res.GetAcknowledged(), false
	return true, nil
}

// read reads the next batch. It is false if there is nothing to send. While the app must be asked for the offset, an
// empty batch is sent.
func (s *streamUpload) read(buf []byte) (n int, ok bool) {
	if s.f == nil {
		f, err := os.Open(s.path)
		if errors.Is(err, fs.ErrNotExist) {
			return 0, false
		}
		if err != nil {
			s.giveUp(err)
			return 0, false
		}
		s.f = f
	}
	if s.ask {
		return 0, true
	}
	n, err := s.f.ReadAt(buf, s.offset)
	if err != nil && !errors.Is(err, io.EOF) {
		s.giveUp(err)
		return 0, false
	}
	return n, n > 0
}

// giveUp ends the upload of the stream. The sizes in the outcome tell the app that a part is missing.
func (s *streamUpload) giveUp(err error) {
	s.log.Error("upload given up", "offset", s.offset, "err", err)
	s.ended = true
}
