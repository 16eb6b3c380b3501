package hook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	// smallBody holds nearly every payload, in bytes. A sender of a small body does not wait for senders of large ones.
	smallBody = 64 << 10
	// maxSmall and maxLarge are how many bodies are read at once. They bound memory to 128 and 400 MiB of bodies, in
	// buffers up to twice as large: a body must be held whole until its signature is checked.
	maxSmall = 2048
	maxLarge = 16
	// stall is how long a sender may send nothing. GitHub sends a payload at once.
	stall = 2 * time.Second
)

// errBusy is returned when too many bodies are read already.
var errBusy = errors.New("too many deliveries at once")

// intake reads the bodies of senders that are not authenticated yet. Slow senders must not keep GitHub out: a place
// among the many small bodies costs the sender a connection on which it keeps sending, and a place among the few large
// ones the first 64 KiB of a body as well.
type intake struct {
	small, large chan struct{}
}

func newIntake() *intake {
	return &intake{small: make(chan struct{}, maxSmall), large: make(chan struct{}, maxLarge)}
}

// read reads the body of a request. Only a large one waits, until ctx ends, for its turn.
func (in *intake) read(ctx context.Context, w http.ResponseWriter, r *http.Request) ([]byte, error) {
	select {
	case in.small <- struct{}{}:
		defer func() { <-in.small }()
	default:
		return nil, errBusy
	}
	src := &deadlineReader{
		r: http.MaxBytesReader(w, r.Body, maxBody), c: http.NewResponseController(w), end: time.Now().Add(acceptTimeout),
	}
	var body bytes.Buffer
	if _, err := io.Copy(&body, io.LimitReader(src, smallBody)); err != nil || body.Len() < smallBody {
		return body.Bytes(), err
	}
	select {
	case in.large <- struct{}{}:
		defer func() { <-in.large }()
	case <-ctx.Done():
		return nil, errBusy
	}
	_, err := io.Copy(&body, src)
	return body.Bytes(), err
}

// deadlineReader reads a body whose sender may pause for at most stall, and must be done at end.
type deadlineReader struct {
	r   io.Reader
	c   *http.ResponseController
	end time.Time
}

func (d *deadlineReader) Read(b []byte) (int, error) {
	until := time.Now().Add(stall)
	if d.end.Before(until) {
		until = d.end
	}
	// It fails only for the recorder of a test, which has no slow senders.
	_ = d.c.SetReadDeadline(until)
	return d.r.Read(b)
}
