package netboot_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/runner/netboot"
)

// absence is how long a test observes that something does not happen.
const absence = 100 * time.Millisecond

// dialHTTP opens a connection to the server of an address.
func dialHTTP(t *testing.T, u *url.URL) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestBodyNeverSent has clients announce bodies that they do not send. They are refused at once, and the server waits
// for no byte of them.
func TestBodyNeverSent(t *testing.T) {
	sh, _ := share(t, services(t)["http"], "lease-1")
	put(t, sh, "file", 1000)
	for method, want := range map[string]int{
		http.MethodPost: http.StatusMethodNotAllowed, http.MethodGet: http.StatusBadRequest,
	} {
		for _, body := range []string{"Content-Length: 1000", "Transfer-Encoding: chunked"} {
			c := dialHTTP(t, sh.Address)
			began := time.Now()
			_, err := fmt.Fprintf(c, "%s %s/file HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", method, sh.Address.Path, body)
			if err != nil {
				t.Fatal(err)
			}
			r := bufio.NewReader(c)
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			_, end := r.ReadByte()
			if res.StatusCode != want || !res.Close || err != nil || !errors.Is(end, io.EOF) {
				t.Errorf("%s, %s: %s, close %t, %v, then %v", method, body, res.Status, res.Close, err, end)
			}
			if took := time.Since(began); took > 5*time.Second { // half of what a request may take
				t.Errorf("%s, %s: the connection ended after %s", method, body, took)
			}
		}
	}
}

// TestConnections opens as many connections as there may be, and asks nothing. The next client is answered as soon as
// one of them ends.
func TestConnections(t *testing.T) {
	sh, _ := share(t, services(t)["http"], "lease-1")
	put(t, sh, "file", 1000)
	var silent []net.Conn
	for range netboot.MaxConnections {
		silent = append(silent, dialHTTP(t, sh.Address))
	}
	c := dialHTTP(t, sh.Address)
	if _, err := fmt.Fprintf(c, "GET %s/file HTTP/1.1\r\nHost: x\r\n\r\n", sh.Address.Path); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 12)
	if err := c.SetReadDeadline(time.Now().Add(absence)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one more was answered %q, %v", b, err)
	}
	err := errors.Join(silent[0].Close(), c.SetReadDeadline(time.Now().Add(time.Minute)))
	_, e := io.ReadFull(c, b)
	if err := errors.Join(err, e); err != nil || string(b) != "HTTP/1.1 200" {
		t.Errorf("after one has ended: %q, %v", b, err)
	}
}

// stopper is a log that stops its writer at one message until it is released.
type stopper struct {
	slog.Handler
	at               string
	reached, release chan struct{}
}

func (s stopper) Enabled(context.Context, slog.Level) bool { return true }

func (s stopper) Handle(_ context.Context, r slog.Record) error {
	if r.Message == s.at {
		close(s.reached)
		<-s.release
	}
	return nil
}

// TestCloseWaits closes the service while it answers a request: Close returns after the request's end, not before.
func TestCloseWaits(t *testing.T) {
	log := stopper{slog.DiscardHandler, "served a file", make(chan struct{}), make(chan struct{})}
	h, err := netboot.ListenHTTP(t.Context(), netboot.Options{Listen: "127.0.0.1:0", Logger: slog.New(log)})
	if err != nil {
		t.Fatal(err)
	}
	sh, _ := share(t, h, "lease-1")
	put(t, sh, "large", 64<<20)
	begin(t, sh.Address.JoinPath("large"))
	closed := make(chan error, 1)
	go func() { closed <- h.Close() }()
	<-log.reached
	select {
	case err := <-closed:
		t.Errorf("Close returned before the request had ended: %v", err)
		closed <- err
	case <-time.After(absence):
	}
	close(log.release)
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
