package beside

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/gantry-ci/gantry/internal/clock"
	"github.com/gantry-ci/gantry/jobs"
)

// tailLimits are those of a target, which may be slow, broken or hostile.
type tailLimits struct {
	// firstSetUp and lastSetUp are how long the first and each later try may take, from the dial until the loop runs: a
	// port that QEMU forwards is open before the guest is up, and then stays mute. An emulated guest on a busy host
	// takes seconds for its keys.
	firstSetUp, lastSetUp time.Duration
	// silence is how long a session may be silent: the loop prints something each second.
	silence time.Duration
	// firstPause and lastPause are between two tries.
	firstPause, lastPause time.Duration
	// end is for the status of a loop that has ended.
	end time.Duration
}

func usualLimits() tailLimits {
	return tailLimits{
		firstSetUp: 5 * time.Second, lastSetUp: 30 * time.Second, silence: 30 * time.Second,
		firstPause: time.Second, lastPause: 10 * time.Second, end: 2 * time.Second,
	}
}

// maxLogged is how many lines the run's log gets: a target may end each session at once.
const maxLogged = 20

// DefaultMaxTail is how many bytes may come, of all sessions: a record holds half as many, and the loop's signs of life
// are 8 MB a day.
const DefaultMaxTail = 64 << 20

// TailOptions say what is followed, and how. Login, File and Logf are needed.
type TailOptions struct {
	Login *jobs.ResultsLogin
	File  string // a plain path: of letters, digits and -_./ only
	Max   int64  // bytes on the wire; 0 is DefaultMaxTail
	Logf  func(level, format string, a ...any)

	limits tailLimits // zero: the usual ones
}

// Tail yields the bytes of a file of the target, as tail -f would print them. It is an io.ReadCloser.
//
// One session at a time has a loop in the target's shell print what comes to the file. When it is lost, another goes on
// at the byte where it ended. What the target is or does is not trusted: what it may send is bounded, as is the time it
// may take to answer, and how much it adds to the run's log.
type Tail struct {
	o      TailOptions
	out    *io.PipeReader
	cancel context.CancelFunc
	done   chan struct{}

	left     atomic.Int64 // bytes that may still come
	received int64        // of the file
	sessions int
	logged   int // lines
}

var (
	errTooMuch = errors.New("more came than results are long")
	errEnded   = errors.New("the target ended it")
)

// StartTail starts to follow, until ctx ends or the tail is closed. It returns at once: that there is no session, and
// why, is for the log.
func StartTail(ctx context.Context, o TailOptions) *Tail {
	if o.Max <= 0 {
		o.Max = DefaultMaxTail
	}
	if o.limits == (tailLimits{}) {
		o.limits = usualLimits()
	}
	ctx, cancel := context.WithCancel(ctx)
	out, in := io.Pipe()
	t := &Tail{o: o, out: out, cancel: cancel, done: make(chan struct{})}
	t.left.Store(o.Max)
	go func() {
		defer close(t.done)
		t.follow(ctx, in)
		_ = in.Close()
	}()
	return t
}

// Read waits for the file's next bytes. It ends with io.EOF when there will be no more sessions.
func (t *Tail) Read(b []byte) (int, error) { return t.out.Read(b) }

// Close ends the session, and waits until it has.
func (t *Tail) Close() error {
	t.cancel()
	err := t.out.Close()
	<-t.done
	return err
}

// follow has sessions until ctx ends, or no session can help.
func (t *Tail) follow(ctx context.Context, in *io.PipeWriter) {
	host, err := hostKey(t.o.Login)
	var config *ssh.ClientConfig
	if err == nil {
		config, err = clientConfig(t.o.Login, host)
	}
	if err == nil {
		err = t.retry(ctx, func(limit time.Duration) error { return t.session(ctx, in, config, host, limit) })
	}
	if err != nil {
		t.logf("warning", "%v; the console alone has the results", err)
	}
}

// retry has one session after the other. It returns nil when ctx ends, and an error that another session would only
// repeat.
func (t *Tail) retry(ctx context.Context, session func(limit time.Duration) error) error {
	m := t.o.limits
	limit, pause, tries := m.firstSetUp, m.firstPause, 0
	for {
		before := t.sessions
		lost := session(limit)
		tries++
		if t.sessions > before {
			limit, pause, tries = m.firstSetUp, m.firstPause, 1
		}
		if refused := (*refusedError)(nil); errors.As(lost, &refused) {
			return refused
		}
		if errors.Is(lost, errTooMuch) {
			return fmt.Errorf("%w (%d bytes)", errTooMuch, t.o.Max)
		}
		switch {
		case ctx.Err() != nil && t.sessions == 0:
			t.logf("warning", "no session in %d tries, the last of which ended with: %v; the console alone had the results",
				tries, lost)
		case ctx.Err() != nil:
		case t.sessions > before:
			t.logf("warning", "the session is lost: %v; the console has the results until there is another", lost)
		case tries == 1:
			t.logf("info", "no session yet: %v; the console has the results until there is one", lost)
		}
		if clock.Sleep(ctx, pause) != nil {
			return nil //nolint:nilerr // that nobody wants it any more is the usual end
		}
		limit, pause = min(2*limit, m.lastSetUp), min(2*pause, m.lastPause)
	}
}

func (t *Tail) logf(level, format string, a ...any) {
	if t.logged++; t.logged <= maxLogged {
		t.o.Logf(level, "results by ssh: "+format, a...)
	}
}

// session logs in and copies what comes to the file, to the session's end. Within limit the loop must run.
func (t *Tail) session(
	ctx context.Context, in *io.PipeWriter, config *ssh.ClientConfig, host *host, limit time.Duration,
) error {
	address := net.JoinHostPort(t.o.Login.Host, strconv.Itoa(t.o.Login.Port))
	conn, err := t.dial(ctx, address, limit)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	c, channels, requests, err := ssh.NewClientConn(conn, address, config)
	if err != nil {
		return conn.cause(fmt.Errorf("log in to %s@%s: %w", t.o.Login.User, address, err))
	}
	client := ssh.NewClient(c, channels, requests)
	defer func() {
		_ = client.Close()
		_ = client.Wait()
	}()
	s, out, err := t.start(client, conn, address)
	if err != nil {
		return conn.cause(err)
	}
	t.sessions++
	t.logf(
		"info", "%s is followed at %s@%s from byte %d on; its host key, %s, is %s", t.o.File, t.o.Login.User, address,
		t.received, host.seen, host.known,
	)
	n, err := io.Copy(in, out)
	t.received += n
	if err == nil {
		err = conn.ended(s)
	}
	return conn.cause(err)
}

// start has the loop run, and returns its session and what it prints.
func (t *Tail) start(client *ssh.Client, conn *wire, address string) (*ssh.Session, io.Reader, error) {
	s, err := client.NewSession()
	if err != nil {
		return nil, nil, fmt.Errorf("open a session on %s: %w", address, err)
	}
	out, err := s.StdoutPipe()
	if err == nil {
		err = s.Start(loop(t.o.File, t.received))
	}
	if err == nil {
		err = conn.established()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("start a command on %s: %w", address, err)
	}
	return s, out, nil
}

// dial makes a connection on which all must be done within limit, until it is established.
func (t *Tail) dial(ctx context.Context, address string, limit time.Duration) (*wire, error) {
	dialer := &net.Dialer{Deadline: time.Now().Add(limit)}
	tcp, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if err := tcp.SetDeadline(dialer.Deadline); err != nil {
		return nil, errors.Join(err, tcp.Close())
	}
	return &wire{Conn: tcp, left: &t.left, tailLimits: t.o.limits}, nil
}

// loop prints what the file has from a byte on, as it comes, in any POSIX shell. A line of stderr each second shows
// that it is alive, and is how it notices that nobody listens any more. What it reads with goes on where the command
// before it stopped.
func loop(file string, from int64) string {
	return fmt.Sprintf(
		`f=%s; until [ -r "$f" ]; do echo >&2 || exit; sleep 1; done; exec <"$f"; `+
			`tail -c +%d; while echo >&2; do sleep 1; cat; done`,
		file, from+1,
	)
}
