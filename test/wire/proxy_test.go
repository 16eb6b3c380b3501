package wire

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// proxy is a bad network before an app: it can be cut, and can break connections by itself.
type proxy struct {
	ln     net.Listener
	target string

	mu     sync.Mutex
	rnd    *rand.Rand
	cut    bool
	lowest int64 // bytes after which a connection breaks: between lowest and ten times that; 0: never
	broken int
	conns  map[net.Conn]bool
	wg     sync.WaitGroup
}

func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{ln: ln, target: target, rnd: rand.New(rand.NewPCG(1, 2)), conns: map[net.Conn]bool{}}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		_ = ln.Close()
		p.setCut(true)
		p.wg.Wait()
	})
	return p
}

func (p *proxy) url() string { return "http://" + p.ln.Addr().String() }

// setCut breaks all connections and refuses new ones, or lets them through again.
func (p *proxy) setCut(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	for c := range p.conns {
		if cut {
			_ = c.Close()
		}
	}
}

// breakAfter has each connection break once it has carried a random number of bytes.
func (p *proxy) breakAfter(lowest int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lowest = lowest
}

func (p *proxy) breaks() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken
}

func (p *proxy) accept() {
	for {
		in, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.carry(in) })
	}
}

// hold takes conns in, unless the network is cut, and says how much they may carry.
func (p *proxy) hold(conns ...net.Conn) (limit int64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut {
		return 0, false
	}
	for _, c := range conns {
		p.conns[c] = true
	}
	if p.lowest == 0 {
		return 1 << 62, true
	}
	return p.lowest + p.rnd.Int64N(9*p.lowest), true
}

func (p *proxy) carry(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer out.Close()
	limit, ok := p.hold(in, out)
	if !ok {
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		both.Go(func() {
			if n, _ := io.CopyN(way[1], way[0], limit); n == limit {
				p.mu.Lock()
				p.broken++
				p.mu.Unlock()
			}
			_ = in.Close()
			_ = out.Close()
		})
	}
	both.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, in)
	delete(p.conns, out)
}
