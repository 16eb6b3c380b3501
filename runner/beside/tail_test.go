package beside

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/gantry-ci/gantry/jobs"
)

// server is a target's sshd: commands are the real shell's, unless a test has its own.
type server struct {
	t        *testing.T
	listener net.Listener
	config   *ssh.ServerConfig
	login    *jobs.ResultsLogin
	exec     func(ch ssh.Channel, command string) // nil: sh -c

	mu    sync.Mutex
	conns []net.Conn
	wg    sync.WaitGroup
}

func newServer(t *testing.T, exec func(ch ssh.Channel, command string)) *server {
	t.Helper()
	host, identity := signer(t), filepath.Join(t.TempDir(), "identity")
	client, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(identity, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	allowed, err := ssh.NewPublicKey(client)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, exec: exec, config: &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if bytes.Equal(key.Marshal(), allowed.Marshal()) {
				return nil, nil
			}
			return nil, errors.New("not allowed")
		},
	}}
	s.config.AddHostKey(host)
	s.listen()
	s.login = &jobs.ResultsLogin{
		Host: "127.0.0.1", Port: s.listener.Addr().(*net.TCPAddr).Port, User: "root", IdentityFile: identity,
		HostKey: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(host.PublicKey()))),
	}
	return s
}

func signer(t *testing.T) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *server) listen() {
	var err error
	if s.listener, err = new(net.ListenConfig).Listen(s.t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		s.t.Fatal(err)
	}
	s.wg.Go(func() {
		for {
			c, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, c)
			s.mu.Unlock()
			s.wg.Go(func() { s.serve(c) })
		}
	})
}

func (s *server) serve(c net.Conn) {
	defer c.Close()
	conn, channels, requests, err := ssh.NewServerConn(c, s.config)
	if err != nil {
		return
	}
	defer conn.Close()
	s.wg.Go(func() { ssh.DiscardRequests(requests) })
	for n := range channels {
		ch, requests, err := n.Accept()
		if err != nil {
			return
		}
		s.wg.Go(func() {
			for r := range requests {
				_ = r.Reply(r.Type == "exec", nil)
				if r.Type == "exec" {
					s.wg.Go(func() {
						defer ch.Close()
						s.run(ch, string(r.Payload[4:]))
					})
				}
			}
		})
	}
}

func (s *server) run(ch ssh.Channel, command string) {
	if s.exec != nil {
		s.exec(ch, command)
		return
	}
	cmd := exec.Command("sh", "-c", command)
	cmd.Stdout, cmd.Stderr = ch, ch.Stderr()
	_ = cmd.Run()
}

// drop ends all connections.
func (s *server) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.conns = nil
}

// stop ends the server, and with it what its shells do.
func (s *server) stop() {
	_ = s.listener.Close()
	s.drop()
	s.wg.Wait()
}

// said collects the run's log.
type said struct {
	mu    sync.Mutex
	lines []string
}

func (s *said) logf(level, format string, a ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, level+": "+fmt.Sprintf(format, a...))
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

func quick() tailLimits {
	return tailLimits{
		firstSetUp: time.Second, lastSetUp: 4 * time.Second, silence: 5 * time.Second, firstPause: 10 * time.Millisecond,
		lastPause: 100 * time.Millisecond, end: time.Second,
	}
}

// TestFollow has every byte of a file arrive once and in order, whatever becomes of the sessions.
func TestFollow(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := newServer(t, nil)
	defer s.stop()
	file, log := filepath.Join(t.TempDir(), "results"), &said{}
	f := StartTail(t.Context(), TailOptions{Login: s.login, File: file, Logf: log.logf, limits: quick()})
	defer f.Close()
	var want, got []byte
	for i := range 4 { // the file is made while the loop waits for it
		part := bytes.Repeat([]byte(strconv.Itoa(i)+"\n"), 50_000)
		want = append(want, part...)
		w, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(part); err != nil {
			t.Fatal(err)
		}
		w.Close()
		b := make([]byte, len(part))
		if _, err := io.ReadFull(f, b); err != nil {
			t.Fatal(err, log)
		}
		if got = append(got, b...); i%2 == 1 {
			s.drop()
		}
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
	if n := strings.Count(log.String(), "is followed at root@127.0.0.1"); n < 2 ||
		!strings.Contains(log.String(), "from byte 200000 on") {
		t.Errorf("%d sessions:\n%s", n, log)
	}
}

// TestRefused ends for good where a host key is not the target's, or there is no key of the runner's.
func TestRefused(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := newServer(t, func(ssh.Channel, string) { t.Error("a command was run") })
	defer s.stop()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return p
	}
	other := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer(t).PublicKey())))
	for name, c := range map[string]struct {
		change func(l *jobs.ResultsLogin)
		want   string
	}{
		"another key": {func(l *jobs.ResultsLogin) { l.HostKey = other }, "the host key is refused: 127.0.0.1:"},
		"no key":      {func(l *jobs.ResultsLogin) { l.HostKey = "ssh-ed25519 AAAA" }, "read the device file's host_key"},
		"an unknown host": {
			func(l *jobs.ResultsLogin) { l.HostKey, l.KnownHosts = "", write("hosts", "board "+other+"\n", 0o600) },
			"the host key is refused: 127.0.0.1:",
		},
		"a changed key": {func(l *jobs.ResultsLogin) {
			l.HostKey, l.KnownHosts = "", write("changed", fmt.Sprintf("[127.0.0.1]:%d %s\n", l.Port, other), 0o600)
		}, "the host key is refused: 127.0.0.1:"},
		"no known hosts": {
			func(l *jobs.ResultsLogin) { l.HostKey, l.KnownHosts = "", filepath.Join(dir, "none") }, "read known_hosts",
		},
		"nothing known": {func(l *jobs.ResultsLogin) { l.HostKey = "" }, "nothing of the host key"},
		"no identity": {
			func(l *jobs.ResultsLogin) { l.IdentityFile = filepath.Join(dir, "none") }, "read identity_file",
		},
		"an identity of all": {
			func(l *jobs.ResultsLogin) { l.IdentityFile = write("all", "GEHEIM", 0o644) }, "others than its owner",
		},
		"a broken identity": {
			func(l *jobs.ResultsLogin) { l.IdentityFile = write("broken", "GEHEIM", 0o600) }, "is no private key that ssh knows",
		},
		"an identity's place": {func(l *jobs.ResultsLogin) { l.IdentityFile = dir }, "is no private key"},
	} {
		login, log := *s.login, &said{}
		c.change(&login)
		f := StartTail(t.Context(), TailOptions{Login: &login, File: "/x", Logf: log.logf, limits: quick()})
		if b, err := io.ReadAll(f); err != nil || len(b) > 0 {
			t.Errorf("%s: %q, %v", name, b, err)
		}
		_ = f.Close()
		if text := log.String(); !strings.Contains(text, c.want) || strings.Count(text, "\n") > 0 ||
			strings.Contains(text, "GEHEIM") {
			t.Errorf("%s: the log says %q, want %q", name, text, c.want)
		}
	}
}

// TestKnownHost takes the key that a file of known hosts has, among others of the host's.
func TestKnownHost(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := newServer(t, func(ch ssh.Channel, _ string) { _, _ = ch.Write([]byte("hello")) })
	defer s.stop()
	login, log := *s.login, &said{}
	login.KnownHosts, login.HostKey = filepath.Join(t.TempDir(), "hosts"), ""
	if err := os.WriteFile(
		login.KnownHosts, fmt.Appendf(nil, "[127.0.0.1]:%d %s\n", login.Port, s.login.HostKey), 0o600,
	); err != nil {
		t.Fatal(err)
	}
	f := StartTail(t.Context(), TailOptions{Login: &login, File: "/x", Logf: log.logf, limits: quick()})
	defer f.Close()
	b := make([]byte, 5)
	if _, err := io.ReadFull(f, b); err != nil || string(b) != "hello" {
		t.Error(err, log)
	}
}

// TestHostile has targets that send without end, say nothing, or end each session: what comes and what is said is
// bounded, and closing waits for nobody.
func TestHostile(t *testing.T) {
	const limit = 4 << 20
	endless := func(to func(ssh.Channel) io.Writer, part []byte) func(ssh.Channel, string) {
		return func(ch ssh.Channel, _ string) {
			for w := to(ch); ; {
				if _, err := w.Write(part); err != nil {
					return
				}
			}
		}
	}
	out := func(ch ssh.Channel) io.Writer { return ch }
	stderr := func(ch ssh.Channel) io.Writer { return ch.Stderr() }
	quit := make(chan struct{})
	for _, tt := range []struct {
		name string
		exec func(ssh.Channel, string)
		ends bool // by itself
		most int  // lines of the log
	}{
		{"an endless line", endless(out, bytes.Repeat([]byte("x"), 32<<10)), true, 2},
		{"endless signs of life", endless(stderr, bytes.Repeat([]byte("\n"), 32<<10)), true, 2},
		{"a byte at a time", endless(out, []byte("x")), true, 2},
		{"sessions that end at once", func(ssh.Channel, string) {}, false, maxLogged},
		{"a mute session", func(ssh.Channel, string) { <-quit }, false, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			s := newServer(t, tt.exec)
			defer s.stop()
			log := &said{}
			f := StartTail(t.Context(), TailOptions{Login: s.login, File: "/x", Max: limit, Logf: log.logf, limits: quick()})
			if !tt.ends {
				time.AfterFunc(2*time.Second, func() {
					if _ = f.Close(); tt.most == 1 {
						close(quit)
					}
				})
			}
			n, err := io.Copy(io.Discard, f)
			if n > limit || tt.ends != (err == nil) {
				t.Errorf("%d bytes, %v", n, err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if lines := strings.Count(log.String(), "\n") + 1; lines > tt.most ||
				tt.ends && !strings.Contains(log.String(), "more came") {
				t.Errorf("%d lines:\n%s", lines, log)
			}
		})
	}
}

// TestMute dials a target that takes connections and says nothing, or never ends its greeting.
func TestMute(t *testing.T) {
	for name, talk := range map[string]func(net.Conn){
		"nothing": func(net.Conn) {},
		"an endless greeting": func(c net.Conn) {
			for {
				if _, err := c.Write(bytes.Repeat([]byte("welcome\r\n"), 100)); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			s := newServer(t, nil)
			s.stop()
			l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			s.login.Port = l.Addr().(*net.TCPAddr).Port
			var wg sync.WaitGroup
			accepted := make(chan struct{}, 100)
			wg.Go(func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					accepted <- struct{}{}
					wg.Go(func() { defer c.Close(); talk(c); _, _ = io.Copy(io.Discard, c) })
				}
			})
			log := &said{}
			ctx, cancel := context.WithCancel(t.Context())
			f := StartTail(ctx, TailOptions{Login: s.login, File: "/x", Logf: log.logf, limits: quick()})
			<-accepted
			<-accepted // a second try: the first took its second
			cancel()
			start := time.Now()
			if b, err := io.ReadAll(f); err != nil || len(b) > 0 {
				t.Errorf("%q, %v", b, err)
			}
			if err := f.Close(); err != nil || time.Since(start) > 5*time.Second {
				t.Errorf("%v after %s", err, time.Since(start))
			}
			_ = l.Close()
			wg.Wait()
			if text := log.String(); !strings.Contains(text, "no session yet") ||
				!strings.Contains(text, "the console alone had the results") {
				t.Errorf("the log says %q", text)
			}
		})
	}
}
