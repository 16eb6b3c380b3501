package beside

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// wire is a connection to a target that may be slow, silent, or send without end.
type wire struct {
	net.Conn
	left *atomic.Int64
	tailLimits
	live atomic.Bool // the loop runs: from then on it must not fall silent
}

// established replaces the limit of the set-up by that of silence.
func (w *wire) established() error {
	w.live.Store(true)
	return w.SetDeadline(time.Now().Add(w.silence))
}

// Read is bounded in time and, over all sessions, in bytes.
func (w *wire) Read(b []byte) (int, error) {
	if w.live.Load() {
		if err := w.SetReadDeadline(time.Now().Add(w.silence)); err != nil {
			return 0, err
		}
	}
	if w.left.Load() <= 0 {
		return 0, errTooMuch
	}
	n, err := w.Conn.Read(b)
	w.left.Add(-int64(n))
	return n, err
}

// Write is bounded in time: a target may leave what it is sent.
func (w *wire) Write(b []byte) (int, error) {
	if w.live.Load() {
		if err := w.SetWriteDeadline(time.Now().Add(w.silence)); err != nil {
			return 0, err
		}
	}
	return w.Conn.Write(b)
}

// cause is why a session ended: the connection knows it better than the protocol.
func (w *wire) cause(err error) error {
	if w.left.Load() <= 0 {
		return errTooMuch
	}
	return err
}

// ended is how a session went whose output has ended: the loop does not end by itself.
func (w *wire) ended(s *ssh.Session) error {
	w.live.Store(false)
	if err := w.SetDeadline(time.Now().Add(w.end)); err != nil {
		return errEnded
	}
	err := s.Wait()
	if missing := (*ssh.ExitMissingError)(nil); err == nil || errors.As(err, &missing) {
		return errEnded
	}
	return err
}
