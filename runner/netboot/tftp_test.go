package netboot_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/runner/netboot"
)

// wait is how long the client waits for a packet: longer than the service before it sends again.
const wait = 10 * time.Second

// client is one that can misbehave.
type client struct {
	t      *testing.T
	server net.Addr
	conn   *net.UDPConn
	window int
	block  int
	// lose has the client lose a block, as it counts them; nil for none.
	lose func(block int) bool
}

func dialTFTP(t *testing.T, u *url.URL) *client {
	t.Helper()
	server, err := net.ResolveUDPAddr("udp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &client{t: t, server: server, conn: conn, window: 1, block: 512}
}

// request is a request to read, with options and their values.
func request(words ...string) []byte {
	return append([]byte{0, 1}, strings.Join(words, "\x00")+"\x00"...)
}

func (c *client) send(b []byte) {
	c.t.Helper()
	if _, err := c.conn.WriteTo(b, c.server); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) ack(block int) {
	c.t.Helper()
	c.send([]byte{0, 4, byte(block >> 8), byte(block)})
}

// receive reads a packet, and goes on with the port that it came from.
func (c *client) receive() ([]byte, error) {
	b := make([]byte, 1<<16)
	if err := c.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return nil, err
	}
	n, from, err := c.conn.ReadFrom(b)
	if err == nil {
		c.server = from
	}
	return b[:n], err
}

// fetch reads a whole file; a window's end, a loss and the file's end are acknowledged.
func (c *client) fetch(name string, options ...string) (string, error) {
	c.t.Helper()
	c.send(request(append([]string{name, "octet"}, options...)...))
	var got bytes.Buffer
	for have, unacked := 0, 0; ; {
		b, err := c.receive()
		if err != nil {
			return got.String(), err
		}
		switch op, number := b[1], binary.BigEndian.Uint16(b[2:]); {
		case op == 5:
			return got.String(), fmt.Errorf("error %d: %s", number, bytes.TrimRight(b[4:], "\x00"))
		case op == 6:
			c.ack(0)
		case op != 3:
			return "", fmt.Errorf("packet % x", b)
		case number != uint16(have+1):
			if unacked > 0 { // something is missing
				c.ack(have)
				unacked = 0
			}
		case c.lose != nil && c.lose(have+1):
		default:
			got.Write(b[4:])
			have, unacked = have+1, unacked+1
			done := len(b)-4 < c.block
			if unacked == c.window || done {
				c.ack(have)
				unacked = 0
			}
			if done {
				return got.String(), nil
			}
		}
	}
}

// TestLosses has a client lose blocks: the first of a window, in its middle, the last of the file, and the same twice.
func TestLosses(t *testing.T) {
	sh, _ := share(t, services(t)["tftp"], "lease-1")
	want := put(t, sh, "file", 100*512+100)
	for name, lost := range map[string]map[int]int{
		"first of a window": {9: 1}, "middle": {11: 1}, "last of the file": {101: 1}, "twice": {30: 2, 31: 1},
	} {
		for _, window := range []int{1, 8} {
			t.Run(fmt.Sprint(name, " window ", window), func(t *testing.T) {
				t.Parallel()
				c := dialTFTP(t, sh.Address)
				c.window = window
				left := maps.Clone(lost)
				c.lose = func(block int) bool { left[block]--; return left[block] >= 0 }
				got, err := c.fetch(sh.Address.Path+"/file", "windowsize", fmt.Sprint(window))
				if err != nil || got != want {
					t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
				}
			})
		}
	}
}

// TestRound has the numbers of blocks go round.
func TestRound(t *testing.T) {
	t.Parallel()
	sh, _ := share(t, services(t)["tftp"], "lease-1")
	want := put(t, sh, "file", 65536*8+100)
	c := dialTFTP(t, sh.Address)
	c.window, c.block = 16, 8
	got, err := c.fetch(sh.Address.Path+"/file", "blksize", "8", "windowsize", "16")
	if err != nil || got != want {
		t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
	}
}

// TestOptions holds the answers to what a client asks for.
func TestOptions(t *testing.T) {
	sh, _ := share(t, services(t)["tftp"], "lease-1")
	put(t, sh, "file", 1234)
	name := sh.Address.Path + "/file"
	const data = "\x00\x03\x00\x01"
	for asked, want := range map[string]string{
		"":                        data,
		"tsize|0":                 "\x00\x06tsize|1234|",
		"blksize|1024|TSIZE|0":    "\x00\x06blksize|1024|tsize|1234|",
		"blksize|70000":           "\x00\x06blksize|65464|",
		"blksize|7":               data,
		"blksize|-1":              data,
		"blksize|8|blksize|9":     "\x00\x06blksize|8|",
		"windowsize|65535":        "\x00\x06windowsize|64|",
		"windowsize|0":            data,
		"timeout|3|multicast|":    "\x00\x06timeout|3|",
		"timeout|255":             data,
		"blksize":                 data,
		"rollover|0|windowsize|2": "\x00\x06windowsize|2|",
	} {
		c := dialTFTP(t, sh.Address)
		words := []string{name, "OCTET"}
		if asked != "" {
			words = append(words, strings.Split(asked, "|")...)
		}
		c.send(request(words...))
		got, err := c.receive()
		if s := strings.ReplaceAll(string(got), "\x00", "|"); err != nil ||
			!strings.HasPrefix(s, strings.ReplaceAll(want, "\x00", "|")) || want != data && len(s) != len(want) {
			t.Errorf("%s: %q, %v", asked, got[:min(len(got), 40)], err)
		}
		c.send([]byte("\x00\x05\x00\x00over\x00"))
	}
}

// TestBadRequests are answered by an error, or not at all, and the service goes on.
func TestBadRequests(t *testing.T) {
	sh, _ := share(t, services(t)["tftp"], "lease-1")
	want := put(t, sh, "file", 3000)
	name := sh.Address.Path + "/file"
	for packet, code := range map[string]int{
		"": 1, "\x00": 1, "\x00\x01": 4, "\x00\x01" + name: 4, "\x00\x01" + name + "\x00octet": 4,
		"\x00\x01" + name + "\x00netascii\x00": 4, "\x00\x01" + name + "\x00mail\x00": 4,
		"\x00\x02" + name + "\x00octet\x00": 2, "\x00\x03\x00\x01data": 4, "\x00\x04\x00\x01": 4, "\xff\xff": 4,
		"\x00\x01\x00octet\x00": 1,
	} {
		c := dialTFTP(t, sh.Address)
		c.send([]byte(packet))
		got, err := c.receive()
		if err != nil || len(got) < 4 || got[1] != 5 || int(got[3]) != code {
			t.Errorf("%q: %q, %v; want error %d", packet, got, err, code)
		}
	}
	dialTFTP(t, sh.Address).send(bytes.Repeat([]byte("x"), 2000))
	if got, err := dialTFTP(t, sh.Address).fetch(name); err != nil || got != want {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestSilence gives up a client that says nothing new: not even to one that repeats an old acknowledgment the service
// sends for ever.
func TestSilence(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the service to give up")
	}
	t.Parallel()
	log := make(logged, 1)
	s, err := netboot.ListenTFTP(t.Context(), netboot.Options{
		Listen: "127.0.0.1:0", Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	sh, _ := share(t, s, "lease-1")
	put(t, sh, "file", 3000)
	c := dialTFTP(t, sh.Address)
	c.send(request(sh.Address.Path+"/file", "octet"))
	for range 10 {
		b, err := c.receive()
		if err != nil || b[3] != 1 {
			t.Fatalf("%q, %v", b, err)
		}
		c.ack(0)
		c.ack(0)
	}
	if line := <-log; !strings.Contains(line, "broke off") || !strings.Contains(line, "lease=lease-1 file=file") ||
		strings.Contains(line, strings.Trim(sh.Address.Path, "/")) {
		t.Errorf("the log has %q", line)
	}
	if err := c.conn.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if n, err := c.conn.Read(make([]byte, 1024)); err == nil {
		t.Errorf("%d more bytes came", n)
	}
}

// logged is where a log's lines go.
type logged chan string

func (l logged) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}
