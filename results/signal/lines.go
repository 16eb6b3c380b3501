package signal

import (
	"bytes"
	"time"

	"github.com/gantry-ci/gantry/internal/terminal"
)

// piece is a line of the console, or a part of one, as text: without line ends and terminal controls.
type piece struct {
	text  []byte
	line  int
	at    time.Time
	first bool // it begins a line
	whole bool // it ends a line
}

// splitter cuts the stream into pieces.
type splitter struct {
	buf  []byte
	line int  // of what is in buf
	mid  bool // a part of this line was emitted already
	at   time.Time
	emit func(piece)
}

func (s *splitter) feed(b []byte, at time.Time) {
	s.at = at
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			s.keep(b)
			break
		}
		s.keep(b[:i])
		s.put(true)
		b = b[i+1:]
	}
	// The last thing that a target prints may lack its line's end for ever.
	if t := bytes.TrimRight(s.buf, "\r"); bytes.HasSuffix(t, []byte(">")) && bytes.Contains(t, []byte("<")) &&
		protocol(t) {
		s.put(false)
	}
}

// protocol reports whether a line that is not ended holds something that ends a wait.
func protocol(line []byte) bool {
	i := bytes.LastIndexByte(line, '<')
	return i >= 0 && (bytes.HasPrefix(line[i:], []byte(trailerStart)) || bytes.HasPrefix(
		line[i:], []byte(ManifestStart),
	) ||
		bytes.HasPrefix(line[i:], []byte(Exit)))
}

func (s *splitter) keep(b []byte) {
	for len(s.buf)+len(b) > maxLine {
		n := maxLine - len(s.buf)
		s.buf = append(s.buf, b[:n]...)
		s.put(false)
		b = b[n:]
	}
	s.buf = append(s.buf, b...)
}

func (s *splitter) put(whole bool) {
	s.emit(piece{text: terminal.Text(s.buf), line: s.line, at: s.at, first: !s.mid, whole: whole})
	s.buf, s.mid = s.buf[:0], !whole
	if whole {
		s.line++
	}
}

func (s *splitter) flush() {
	if len(s.buf) > 0 {
		s.put(false)
	}
}
