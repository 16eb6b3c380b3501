package console

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gantry-ci/gantry/internal/clock"
	"github.com/gantry-ci/gantry/results"
)

// writeSize is the most bytes of one Write of the stream: ctx is checked between two.
const writeSize = 4 << 10

// Session is the right to write, and the position up to which the record was matched. The run, a container and a person
// use one in turn. It is used by one goroutine at a time.
type Session struct {
	CharDelay time.Duration // after each character sent, for consoles without flow control (LAVA's character_delays)
	LineEnd   string        // what SendLine adds; "\n" at first

	c    *Console
	m    matcher
	once sync.Once
}

// Session waits for the right to write; matching begins at offset off.
func (c *Console) Session(ctx context.Context, off int64) (*Session, error) {
	select {
	case c.token <- struct{}{}:
		return &Session{LineEnd: "\n", c: c, m: matcher{rec: c.rec, pos: max(off, 0)}}, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Close gives the right to write back.
func (s *Session) Close() { s.once.Do(func() { <-s.c.token }) }

// Console is what the session writes to.
func (s *Session) Console() *Console { return s.c }

// Offset is where the next match may begin: the end of the last one.
func (s *Session) Offset() int64 { return s.m.pos }

// SkipTo continues matching at offset off. SkipTo(s.Console().Size()) skips all that has arrived.
func (s *Session) SkipTo(off int64) { s.m.seek(off) }

// SendLine sends text and the line end.
func (s *Session) SendLine(ctx context.Context, text string) error {
	return s.Send(ctx, text+s.LineEnd)
}

// Send types text. On a stream that accepts no more bytes it blocks until ctx ends; then it returns context.Cause(ctx),
// and part of the text may have been sent.
func (s *Session) Send(ctx context.Context, text string) error {
	for text != "" {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n := min(len(text), writeSize)
		if s.CharDelay > 0 {
			_, n = utf8.DecodeRuneInString(text)
		}
		if err := s.c.typeOut(ctx, text[:n]); err != nil {
			return err
		}
		text = text[n:]
		if s.CharDelay > 0 {
			if err := clock.Sleep(ctx, s.CharDelay); err != nil {
				return err
			}
		}
	}
	return nil
}

// write is one Write of the stream, and the channel for its error.
type write struct {
	text string
	done chan error
}

// deadliner is a stream of which a blocked Write can be ended without closing it: a pollable file, a connection.
type deadliner interface {
	SetWriteDeadline(t time.Time) error
}

// write is the one writer. A Write that blocks holds up this goroutine, not the step that asked for it; Close ends it.
func (c *Console) write() {
	dl, _ := c.rw.(deadliner)
	for {
		select {
		case w := <-c.writes:
			if dl != nil {
				_ = dl.SetWriteDeadline(time.Time{}) // of an earlier abort; a stream that cannot says so each time
			}
			_, err := c.rw.Write([]byte(w.text))
			w.done <- err
		case <-c.closed:
			return
		}
	}
}

// typeOut has the writer write text, and gives up when ctx or the console ends.
func (c *Console) typeOut(ctx context.Context, text string) error {
	w := write{text, make(chan error, 1)}
	select {
	case c.writes <- w:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.closed:
		return closed(os.ErrClosed)
	}
	select {
	case err := <-w.done:
		if err != nil {
			return results.Blame(results.ClassInfrastructure, fmt.Errorf("write to the console: %w", err))
		}
		return nil
	case <-ctx.Done():
		if dl, ok := c.rw.(deadliner); ok {
			_ = dl.SetWriteDeadline(time.Unix(1, 0)) // best effort: without deadlines the text may still get out later
		}
		return context.Cause(ctx)
	}
}
