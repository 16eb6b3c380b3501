package netboot

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// maxSilence is how often in a row blocks are sent again before the client is taken for gone. With the default timeout
// that are 10 s, twice what U-Boot waits before it asks again.
const maxSilence = 10

// transfer sends one file to one client.
type transfer struct {
	conn   net.Conn
	file   io.ReaderAt
	size   int64
	read   *read
	resent int // how often something was sent again
}

// run sends the file, a window of blocks at a time, and goes on behind what the client has. Blocks count from 1; on the
// wire their numbers go round after 65535.
func (t *transfer) run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { _ = t.conn.SetReadDeadline(time.Unix(1, 0)) })()
	if oack := t.read.oack(t.size); oack != nil {
		if _, err := t.exchange(ctx, func() error { return t.write(oack) }, 0, 0); err != nil {
			return err
		}
	}
	last := t.size/int64(t.read.block) + 1 // the last one is not full, and may be empty
	packet := make([]byte, 4+t.read.block)
	for next := int64(1); next <= last; {
		end := min(next+int64(t.read.window)-1, last)
		acked, err := t.exchange(ctx, func() error { return t.window(packet, next, end) }, next, end)
		if err != nil {
			return err
		}
		next = acked + 1
	}
	return nil
}

// window sends some blocks.
func (t *transfer) window(packet []byte, first, last int64) error {
	for block := first; block <= last; block++ {
		packet[0], packet[1] = 0, opData
		binary.BigEndian.PutUint16(packet[2:], uint16(block)) //nolint:gosec // it goes round
		at := (block - 1) * int64(t.read.block)
		data := packet[4 : 4+min(int64(t.read.block), t.size-at)]
		if _, err := t.file.ReadAt(data, at); err != nil { // a file that has become shorter is no file any more
			return fmt.Errorf("read: %w", err)
		}
		if err := t.write(packet[:4+len(data)]); err != nil {
			return err
		}
	}
	return nil
}

func (t *transfer) write(b []byte) error {
	_, err := t.conn.Write(b)
	return err
}

// exchange sends until the client acknowledges one of the blocks first to last, and returns which. Duplicate ACKs
// are ignored; only the timeout resends (RFC 1123's Sorcerer's Apprentice bug).
func (t *transfer) exchange(ctx context.Context, send func() error, first, last int64) (int64, error) {
	for range maxSilence {
		if err := send(); err != nil {
			return 0, err
		}
		if err := t.conn.SetReadDeadline(time.Now().Add(t.read.timeout)); err != nil {
			return 0, err
		}
		if ctx.Err() != nil { // after the deadline was moved: nothing moves it back
			return 0, errClosed
		}
		acked, err := t.await(first, last)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return acked, err
		}
		t.resent++
	}
	return 0, fmt.Errorf("the client has been silent for %s", maxSilence*t.read.timeout)
}

// await reads until a packet acknowledges one of the blocks.
func (t *transfer) await(first, last int64) (int64, error) {
	b := make([]byte, maxRequest)
	for {
		n, err := t.conn.Read(b)
		if err != nil {
			return 0, err
		}
		number, ok, err := ack(b[:n])
		if err != nil {
			return 0, err
		}
		// The distance is right modulo 65536, and a window is shorter.
		if ahead := int64(number - uint16(first)); ok && ahead <= last-first { //nolint:gosec // it goes round
			return first + ahead, nil
		}
	}
}
