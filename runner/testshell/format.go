package testshell

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/format"
	"github.com/gantry-ci/gantry/results/signal"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/overlay"
)

// formatted is a definition whose output has results in a format other than LAVA's.
type formatted struct {
	suite, format, file string
	from                int // line of its start
}

// formats are the definitions with such output, by their run.
func (s *stage) formats() map[string]*formatted {
	all := map[string]*formatted{}
	for i := range s.job.Definitions {
		d := &s.job.Definitions[i]
		run := (&overlay.Definition{Index: s.first + i, Name: d.Name}).Run()
		if t := s.source(d); t != nil && t.Parse.Format != "" {
			all[run] = &formatted{suite: run, format: t.Parse.Format, file: t.Parse.File}
		}
	}
	return all
}

// begin says on which line the output begins.
func (f *formatted) begin(line int) {
	if f != nil {
		f.from = line
	}
}

// maxText bounds a line of results, in bytes; a longer one is cut.
const maxText = 64 << 10

// end reads the cases off the console's lines since the start, up to line.
func (f *formatted) end(c *console.Console, line int) []results.Case {
	if f == nil || f.from == 0 {
		return nil
	}
	parser, err := format.New(f.format, f.suite)
	if err != nil {
		return nil // the language has the same names
	}
	if line <= f.from { // its end was not seen
		line = c.LineAt(c.Size()) + 1
	}
	lines := bufio.NewReaderSize(io.NewSectionReader(c, 0, c.Size()), maxText)
	var cases []results.Case
	open := f.file == ""
	whole := open // a file's last line was seen
	begin, end := flow.FileLines(f.file)
	for no := 1; no < line; no++ {
		text, err := cut(lines)
		if err != nil {
			break
		}
		switch plain := string(bytes.TrimSpace(text)); {
		case no <= f.from:
		case f.file != "" && plain == begin:
			open, whole = true, false
		case f.file != "" && plain == end:
			open, whole = false, true
		case open:
			cases = append(cases, parser.Line(text, no)...)
		}
		if len(cases) > signal.DefaultMaxCases {
			return append(cases[:signal.DefaultMaxCases], results.Case{
				Suite: f.suite, Case: "results", Result: results.Missing, Message: "more cases than gantry takes",
			})
		}
	}
	f.from = 0
	cases = slices.Concat(cases, parser.Close())
	if !whole {
		cases = append(cases, results.Case{
			Suite: f.suite, Case: "results", Result: results.Missing,
			Message: fmt.Sprintf("the run ended before %s was printed", f.file),
		})
	}
	return cases
}

// cut reads a line, and leaves out what is too long of it.
func cut(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		if len(line) > 0 {
			err = nil
		}
		return line, err
	}
	line = bytes.Clone(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = r.ReadSlice('\n')
	}
	return line, err
}
