package netboot

import (
	"strings"
	"testing"
	"time"
)

// FuzzTFTP reads packets of strangers: what a request may ask for stays within its limits.
func FuzzTFTP(f *testing.F) {
	f.Add([]byte("\x00\x01name\x00octet\x00"))
	f.Add([]byte("\x00\x01name\x00OCTET\x00blksize\x001468\x00tsize\x000\x00windowsize\x0064\x00timeout\x005\x00"))
	f.Add([]byte("\x00\x02name\x00netascii\x00"))
	f.Add([]byte("\x00\x04\x00\x01"))
	f.Add([]byte("\x00\x05\x00\x01not found\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, _ = ack(b)
		r, err := parseRead(b)
		if err != nil {
			if p := errorPacket(err); p[1] != opError || p[len(p)-1] != 0 || len(p) > maxRequest {
				t.Errorf("the answer is %q", p)
			}
			return
		}
		if r.block < minBlock || r.block > maxBlock || r.window < 1 || r.window > maxWindow ||
			r.timeout < time.Second || r.timeout > maxTimeout*time.Second || strings.Contains(r.name, "\x00") {
			t.Errorf("%+v", r)
		}
		if p := r.oack(1 << 40); len(p) > maxRequest {
			t.Errorf("the answer has %d bytes", len(p))
		}
	})
}
