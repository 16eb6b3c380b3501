package netboot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/gantry-ci/gantry/internal/clock"
	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/runner/plan"
)

// TFTP serves folders by TFTP: RFC 1350 in mode octet, with the options blksize, tsize, timeout (RFC 2347 to 2349) and
// windowsize (RFC 7440).
type TFTP struct {
	shares shares
	conn   *net.UDPConn
	root   *url.URL
	free   chan struct{}
	logger *slog.Logger
	end    context.Context //nolint:containedctx // of the service
	stop   context.CancelFunc
	open   sync.WaitGroup // the listener and the requests
}

// ListenTFTP starts the service.
func ListenTFTP(ctx context.Context, o Options) (*TFTP, error) {
	l, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("serve TFTP: %w", err)
	}
	root, err := o.address("tftp", l.LocalAddr())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("serve TFTP: %w", err), l.Close())
	}
	t := &TFTP{conn: l.(*net.UDPConn), root: root, free: make(chan struct{}, maxRequests), logger: o.Logger}
	t.end, t.stop = context.WithCancel(context.WithoutCancel(ctx))
	t.open.Go(t.listen)
	return t, nil
}

// Serve serves a folder. A file's name is the address's path with the file's below it; a slash before it is allowed.
func (t *TFTP) Serve(_ context.Context, lease, dir string, undo *journal.Journal) (plan.Share, error) {
	s, err := t.shares.serve(lease, dir, t.root, undo)
	if err != nil {
		return plan.Share{}, fmt.Errorf("serve a folder by TFTP: %w", err)
	}
	return s, nil
}

// Close ends the service and its transfers. The folders stay.
func (t *TFTP) Close() error {
	t.shares.close()
	t.stop()
	err := t.conn.Close()
	t.open.Wait()
	if errors.Is(err, net.ErrClosed) { // by an earlier call
		return nil
	}
	return err
}

// maxRequest is the most bytes of a request: RFC 2347.
const maxRequest = 512

// readPause keeps the listener from spinning when reading fails again and again.
const readPause = 100 * time.Millisecond

func (t *TFTP) listen() {
	for {
		b := make([]byte, maxRequest+1)
		n, client, err := t.conn.ReadFromUDP(b)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			t.logger.Warn("read a TFTP request", "err", err)
			_ = clock.Sleep(t.end, readPause) // at the end the next read says that the listener is closed
			continue
		case n > maxRequest:
			continue
		}
		select {
		case t.free <- struct{}{}:
			t.open.Go(func() {
				defer func() { <-t.free }()
				t.request(client, b[:n])
			})
		default: // the client asks again
			t.logger.Debug("refused a request", "service", "tftp", "client", client.String(), "err", "too many at a time")
		}
	}
}

// request answers one request, from a port of its own.
func (t *TFTP) request(client *net.UDPAddr, b []byte) {
	log := t.logger.With("service", "tftp", "client", client.String())
	var from *net.UDPAddr
	if local := t.conn.LocalAddr().(*net.UDPAddr); !local.IP.IsUnspecified() {
		from = &net.UDPAddr{IP: local.IP, Zone: local.Zone}
	}
	conn, err := net.DialUDP("udp", from, client) // gets no packets but the client's
	if err != nil {
		log.Warn("answer a TFTP request", "err", err)
		return
	}
	defer func() { _ = conn.Close() }()
	f, r, err := t.find(b)
	if err != nil {
		log.Debug("refused a request", "err", err)
		if !errors.Is(err, errBusy) { // then the client asks again
			_, _ = conn.Write(errorPacket(err)) // it may be gone
		}
		return
	}
	defer f.close()
	log = log.With("lease", f.share.lease, "file", f.name)
	ctx, cancel := context.WithCancel(t.end)
	defer cancel()
	defer f.share.atEnd(cancel)()
	tr := transfer{conn: conn, file: f, size: f.info.Size(), read: r}
	began := time.Now()
	if err := tr.run(ctx); err != nil {
		log.Debug("a transfer broke off", "err", err)
		return
	}
	log.Debug("served a file", "bytes", tr.size, "duration", time.Since(began), "resent", tr.resent)
}

// find opens what a packet asks for.
func (t *TFTP) find(b []byte) (*file, *read, error) {
	r, err := parseRead(b)
	if err != nil {
		return nil, nil, err
	}
	f, err := t.shares.open(r.name)
	return f, r, err
}
