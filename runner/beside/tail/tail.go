// Package tail follows a file of a target by ssh, for results that must not depend on the console.
//
// One session at a time has a loop in the target's shell print what comes to the file. When it is lost, another goes on
// at the byte where it ended. What the target is or does is not trusted: what it may send is bounded, as is the time it
// may take to answer, and how much it has the run's log say. When there is no session, the console has the results, as
// ever: nobody waits for one.
package tail

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

	"github.com/gantry-ci/gantry/jobs"
)

// limits are those of a target, which may be slow, broken or hostile.
type limits struct {
	// firstSetUp and lastSetUp are how long the first and each later try may take, from the dial until the loop runs: a
	// port that QEMU forwards is open before the guest is up, and then stays mute. An emulated guest on a busy host
	// takes seconds for its keys.
	firstSetUp, lastSetUp time.Duration
	// silence is how long a session may say nothing: the loop says something each second.
	silence time.Duration
	// firstPause and lastPause are between two tries.
	firstPause, lastPause time.Duration
	// end is for the status of a loop that has ended.
	end time.Duration
}

func usualLimits() limits {
	return limits{
		firstSetUp: 5 * time.Second, lastSetUp: 30 * time.Second, silence: 30 * time.Second,
		firstPause: time.Second, lastPause: 10 * time.Second, end: 2 * time.Second,
	}
}

// maxSaid is how many lines the run's log gets: a target may end each session at once.
const maxSaid = 20

// DefaultMax is how much may come, of all sessions: the results' record is as large, the loop's signs of life are 8 MB
// a day.
const DefaultMax = 64 << 20

// Options say what is followed, and how. Login, File and Logf are needed.
type Options struct {
	Login *jobs.ResultsLogin
	File  string // a plain path: of letters, digits and -_./ only
	Max   int64  // bytes on the wire; 0 is DefaultMax
	Logf  func(level, format string, a ...any)

	limits limits // zero: the usual ones
}

// Follower yields the file's bytes. Its methods are those of an io.ReadCloser.
type Follower struct {
	o      Options
	out    *io.PipeReader
	cancel context.CancelFunc
	done   chan struct{}

	left     atomic.Int64 // bytes that may still come
	received int64        // of the file
	sessions int
	said     int
}

var (
	errTooMuch = errors.New("more came than results are long")
	errEnded   = errors.New("the target ended it")
)

// Open starts to follow, until ctx ends or the follower is closed. It returns at once: that there is no session, and
// why, is for the log.
func Open(ctx context.Context, o Options) *Follower {
	if o.Max <= 0 {
		o.Max = DefaultMax
	}
	if o.limits == (limits{}) {
		o.limits = usualLimits()
	}
	ctx, cancel := context.WithCancel(ctx)
	out, in := io.Pipe()
	f := &Follower{o: o, out: out, cancel: cancel, done: make(chan struct{})}
	f.left.Store(o.Max)
	go func() {
		defer close(f.done)
		f.follow(ctx, in)
		_ = in.Close()
	}()
	return f
}

// Read waits for the file's next bytes. It ends with io.EOF when there will be no more sessions.
func (f *Follower) Read(b []byte) (int, error) { return f.out.Read(b) }

// Close ends the session, and waits until it has.
func (f *Follower) Close() error {
	f.cancel()
	err := f.out.Close()
	<-f.done
	return err
}

// follow has one session after the other.
func (f *Follower) follow(ctx context.Context, in *io.PipeWriter) {
	host, err := hostKey(f.o.Login)
	var config *ssh.ClientConfig
	if err == nil {
		config, err = clientConfig(f.o.Login, host)
	}
	m := f.o.limits
	limit, pause, tries := m.firstSetUp, m.firstPause, 0
	for err == nil {
		began := f.sessions
		lost := f.session(ctx, in, config, host, limit)
		if f.sessions > began {
			limit, pause, tries = m.firstSetUp, m.firstPause, 0
		}
		tries++
		switch refused := (*refusedError)(nil); {
		case errors.As(lost, &refused):
			err = refused
		case errors.Is(lost, errTooMuch):
			err = fmt.Errorf("%w (%d bytes)", errTooMuch, f.o.Max)
		case ctx.Err() != nil:
			if f.sessions == 0 {
				f.say(
					"warning", "no session in %d tries, the last of which ended with: %v; the console alone had the results", tries,
					lost,
				)
			}
			return
		case f.sessions > began:
			f.say("warning", "the session is lost: %v; the console has the results until there is another", lost)
		case tries == 1:
			f.say("info", "no session yet: %v; the console has the results until there is one", lost)
		}
		if err == nil && !sleep(ctx, pause) {
			return
		}
		limit, pause = min(2*limit, m.lastSetUp), min(2*pause, m.lastPause)
	}
	f.say("warning", "%v; the console alone has the results", err)
}

func (f *Follower) say(level, format string, a ...any) {
	if f.said++; f.said <= maxSaid {
		f.o.Logf(level, "results by ssh: "+format, a...)
	}
}

// session logs in and copies what comes to the file, to the session's end. Within limit the loop must run.
func (f *Follower) session(
	ctx context.Context, in *io.PipeWriter, config *ssh.ClientConfig, host *host, limit time.Duration,
) error {
	address := net.JoinHostPort(f.o.Login.Host, strconv.Itoa(f.o.Login.Port))
	conn, err := f.dial(ctx, address, limit)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	c, channels, requests, err := ssh.NewClientConn(conn, address, config)
	if err != nil {
		return conn.cause(fmt.Errorf("log in to %s@%s: %w", f.o.Login.User, address, err))
	}
	client := ssh.NewClient(c, channels, requests)
	defer func() {
		_ = client.Close()
		_ = client.Wait()
	}()
	s, err := client.NewSession()
	if err != nil {
		return conn.cause(fmt.Errorf("open a session on %s: %w", address, err))
	}
	out, err := s.StdoutPipe()
	if err == nil {
		err = s.Start(loop(f.o.File, f.received))
	}
	if err == nil {
		err = conn.established()
	}
	if err != nil {
		return conn.cause(fmt.Errorf("start a command on %s: %w", address, err))
	}
	f.sessions++
	f.say(
		"info", "%s is followed at %s@%s from byte %d on; its host key, %s, is %s", f.o.File, f.o.Login.User, address,
		f.received, host.seen, host.known,
	)
	n, err := io.Copy(in, out)
	f.received += n
	if err == nil {
		err = conn.ended(s)
	}
	return conn.cause(err)
}

// dial makes a connection on which all must be done within limit, until it is established.
func (f *Follower) dial(ctx context.Context, address string, limit time.Duration) (*wire, error) {
	dialer := &net.Dialer{Deadline: time.Now().Add(limit)}
	tcp, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if err := tcp.SetDeadline(dialer.Deadline); err != nil {
		return nil, errors.Join(err, tcp.Close())
	}
	return &wire{Conn: tcp, left: &f.left, limits: f.o.limits}, nil
}

// loop prints what the file has from a byte on, as it comes, in any POSIX shell. A line of stderr each second shows
// that it is alive, and is how it notices that nobody listens any more. What it reads with goes on where the command
// before it stopped.
func loop(file string, from int64) string {
	return fmt.Sprintf(
		`f=%s; until [ -r "$f" ]; do echo >&2 || exit; sleep 1; done; exec <"$f"; tail -c +%d; while echo >&2; do sleep 1; cat; done`,
		file, from+1,
	)
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
