package testshell

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/gantry-ci/gantry/results/signal"
	"github.com/gantry-ci/gantry/runner/beside"
	"github.com/gantry-ci/gantry/runner/overlay"
	"github.com/gantry-ci/gantry/runner/plan"
)

// What the console may still say when the results device has sent its manifest: results that tests print by themselves
// go nowhere else. At 9600 baud the manifest of a hundred results is 8 s.
const (
	exitQuiet = 5 * time.Second
	exitMax   = 30 * time.Second
)

// lateBy is how long the console has to bring a record before the device's copy is taken: what the console brings has a
// place in its record, and stands between the output it belongs to.
const lateBy = 2 * time.Second

// recordStart begins a record.
const recordStart = "<GANTRY_RECORD "

// manifestStart begins the last line of a stage.
const manifestStart = "<GANTRY_MANIFEST "

// maxResultLine bounds a line of the results device; a record is shorter by far.
const maxResultLine = 16 << 10

// listen has the target's file of results followed by ssh, where its device file asks for that, from the boot's first
// stage on. It waits for nothing. Without a session the console has the results, so what goes wrong is only noted.
func (s *stage) listen(ctx context.Context, r *plan.Run) {
	if s.login == nil || s.session.Port != nil {
		return
	}
	f := beside.StartTail(context.WithoutCancel(ctx), beside.TailOptions{Login: s.login, File: s.spec.ResultsPath(), Logf: r.Logf})
	p, err := beside.OpenRecord(r.Dir, f, beside.RecordOptions{Logger: r.Logger})
	if err != nil {
		_ = f.Close()
		r.Logf("warning", "results by ssh: %v; the console alone has the results", err)
		return
	}
	s.session.Port = p
	r.Journal.Defer(func() error {
		if n := p.Dropped(); n > 0 {
			r.Logf("warning", "results by ssh: more came than is kept: %d bytes were dropped", n)
		}
		if s.session.Port == p {
			s.session.Port = nil
		}
		return p.Close()
	})
}

// intake feeds a parser from the console and from the results device, one at a time.
type intake struct {
	parser *signal.Parser

	mu    sync.Mutex
	mark  []byte // what the lines of this run begin with
	line  []byte // that has not ended yet
	long  bool   // the rest of the line is passed over
	ended bool
	wake  context.CancelCauseFunc // of the wait under way

	waiting []copied
	late    *time.Timer // until the first of them is taken

	manifest []byte // the device's, held back: with it, the parser takes whatever the console says for its end
	said     time.Time
	timer    *time.Timer // runs from said while the console is quiet
}

// copied is a record that the device brought, and that the console may still bring.
type copied struct {
	line []byte
	at   time.Time
}

// follow feeds what the device sends for the run of a stage that knows itself by token, which no other of the attempt
// has. It has the run told so by what is typed; stop ends it.
func (s *intake) follow(
	ctx context.Context, p *beside.Record, spec *overlay.Spec, what typed, token string,
) (_ typed, stop func()) {
	if p == nil {
		return what, func() {}
	}
	what.commands = append([]string{spec.ResultsCommand(token)}, what.commands...)
	s.mark = []byte("@" + token + " ")
	ctx, cancel := context.WithCancel(ctx)
	from, done := p.Size(), make(chan struct{})
	go func() {
		defer close(done)
		p.Follow(ctx, from, s.device)
	}()
	return what, func() {
		cancel()
		<-done
		s.incomplete()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.waiting = nil
		if s.late != nil {
			s.late.Stop()
		}
	}
}

// begin starts a wait, which ends with errQuiet when the device has said all and the console says no more.
func (s *intake) begin(ctx context.Context) (context.Context, func()) {
	ctx, wake := context.WithCancelCause(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended, s.wake = false, wake
	if s.manifest != nil {
		s.arm()
	}
	return ctx, func() {
		wake(nil)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.wake = nil; s.timer != nil {
			s.timer.Stop()
			s.timer = nil
		}
	}
}

func (s *intake) console(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parser.Feed(b, time.Now()); len(b) > 0 && s.timer != nil && time.Since(s.said) < exitMax {
		s.timer.Reset(exitQuiet)
	}
}

func (s *intake) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// incomplete says, at the end of the console's, whether results are missing from it and the device together.
func (s *intake) incomplete() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.take(0)
	if s.manifest != nil {
		s.parser.FeedDevice(s.manifest, time.Now())
		s.manifest = nil
	}
	return s.parser.Incomplete()
}

// device takes the device's bytes: the lines of this run, and the records of earlier ones, whose writers may still be
// at work. A test may write what it likes.
func (s *intake) device(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for len(b) > 0 {
		part, rest, ended := bytes.Cut(b, []byte("\n"))
		b = rest
		if s.long = s.long || len(s.line)+len(part) > maxResultLine; !s.long {
			s.line = append(s.line, part...)
		}
		if !ended {
			break
		}
		if text, ours := bytes.CutPrefix(s.line, s.mark); ours && !s.long {
			s.record(append(text, '\n'), now)
		} else if mark, text, ok := bytes.Cut(s.line, []byte(" ")); ok && !s.long && bytes.HasPrefix(mark, []byte("@")) &&
			bytes.HasPrefix(text, []byte(recordStart)) {
			s.record(append(text, '\n'), now) // the parser knows whose it is
		}
		s.line, s.long = s.line[:0], false
	}
}

// wait takes what has waited long enough, later.
func (s *intake) wait(d time.Duration) {
	s.late = time.AfterFunc(d, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.take(lateBy); len(s.waiting) > 0 {
			s.wait(max(lateBy-time.Since(s.waiting[0].at), time.Millisecond))
		}
		if s.ended && s.wake != nil { // a test may end its job
			s.wake(errQuiet)
		}
	})
}

// take feeds the parser with the records that are older than that.
func (s *intake) take(age time.Duration) {
	n := 0
	for ; n < len(s.waiting) && time.Since(s.waiting[n].at) >= age; n++ {
		s.parser.FeedDevice(s.waiting[n].line, s.waiting[n].at)
	}
	s.waiting = s.waiting[n:]
}

func (s *intake) record(line []byte, at time.Time) {
	if !bytes.HasPrefix(line, []byte(manifestStart)) {
		if s.waiting = append(s.waiting, copied{bytes.Clone(line), at}); len(s.waiting) == 1 {
			s.wait(lateBy)
		}
		return
	}
	s.manifest, s.said = bytes.Clone(line), at
	if s.wake != nil && s.timer == nil {
		s.arm()
	}
}

// arm ends the wait under way unless the console does. It is called with mu held.
func (s *intake) arm() {
	wake := s.wake
	s.timer = time.AfterFunc(exitQuiet, func() { wake(errQuiet) })
}
