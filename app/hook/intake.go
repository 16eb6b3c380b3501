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
	// smallBody holds nearly every payload. Whoever sends no more waits for nobody who does.
	smallBody = 64 << 10
	// maxSmall and maxLarge bound memory, to 128 and 400 MiB of bodies, in buffers up to twice as large: a body must be
	// held whole until its signature is known.
	maxSmall = 2048
	maxLarge = 16
	// stall is how long a sender may send nothing. GitHub sends a payload at once.
	stall = 2 * time.Second
)

// errBusy is a body there is no room for.
var errBusy = errors.New("too many deliveries at once")

// intake reads the bodies of senders of whom nothing is known yet. Those who send slowly must not keep GitHub out: a
// place among the many costs a connection that goes on sending, and one among the few the first 64 KiB of a body too.
type intake struct {
	small, large chan struct{}
}

func newIntake() *intake {
	return &intake{small: make(chan struct{}, maxSmall), large: make(chan struct{}, maxLarge)}
}

// read reads the body of a request, until ctx ends. It waits for room for a large one only.
func (in *intake) read(ctx context.Context, w http.ResponseWriter, r *http.Request) ([]byte, error) {
	select {
	case in.small <- struct{}{}:
		defer func() { <-in.small }()
	default:
		return nil, errBusy
	}
	src := &patient{
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

// patient is a body whose sender may take some time for each part, and no longer than the end for all.
type patient struct {
	r   io.Reader
	c   *http.ResponseController
	end time.Time
}

func (p *patient) Read(b []byte) (int, error) {
	until := time.Now().Add(stall)
	if p.end.Before(until) {
		until = p.end
	}
	// A server that cannot set it has no slow senders: it is a test's.
	_ = p.c.SetReadDeadline(until)
	return p.r.Read(b)
}
