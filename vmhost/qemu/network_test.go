package qemu

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

const netInit = `#!/bin/sh
mount -t devtmpfs devtmpfs /dev
exec </dev/console >/dev/console 2>&1
stty -echo
for m in /bin/*.ko; do insmod $m; done
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
echo guest-is-up
while read -r line; do eval "$line"; done
`

// Through QEMU's user network a guest reaches the host's loopback, where the lab's own services are. A served job's
// does not.
func TestNetwork(t *testing.T) {
	t.Parallel()
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "the-host-speaking")
	}))
	defer host.Close()
	u, err := url.Parse(host.URL)
	if err != nil {
		t.Fatal(err)
	}
	modules := testModules(
		t, "virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "failover",
		"net_failover", "virtio_net",
	)
	for _, c := range []struct {
		name    string
		network Network
		reaches bool
	}{{"served", NetworkDefault, false}, {"open", NetworkOpen, true}} {
		o := testOptions(testID(t) + c.name)
		o.Network = c.network
		g := newGuest(t, o, netInit, modules...)
		if err := g.On(t.Context()); err != nil {
			t.Fatal(err)
		}
		tty, err := g.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		await(t, tty, "guest-is-up")
		if _, err := fmt.Fprintf(
			tty, "ip link show eth0; printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 10.0.2.2 %s; echo end-of-$((1+1))\n",
			u.Port(),
		); err != nil {
			t.Fatal(err)
		}
		got := await(t, tty, "end-of-2")
		if reached := strings.Contains(got, "the-host-speaking"); reached != c.reaches ||
			!strings.Contains(got, "52:54:00:12:34:59") {
			t.Errorf("%s: the guest says %s", c.name, got)
		}
		if err := g.Off(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, tty); err != nil {
			t.Error(err)
		}
		if err := tty.Close(); err != nil {
			t.Error(err)
		}
	}
}
