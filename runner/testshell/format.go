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
	cases, whole := f.read(c, line, parser)
	f.from = 0
	if len(cases) > signal.DefaultMaxCases {
		return append(cases[:signal.DefaultMaxCases], f.missing("more cases than gantry takes"))
	}
	cases = slices.Concat(cases, parser.Close())
	if !whole {
		cases = append(cases, f.missing(fmt.Sprintf("the run ended before %s was printed", f.file)))
	}
	return cases
}

// missing is the case for results that are not there.
func (f *formatted) missing(why string) results.Case {
	return results.Case{Suite: f.suite, Case: "results", Result: results.Missing, Message: why}
}

// read has the parser read the console's lines, or those between which the target prints the file, before line. Whole
// says that the last line of the file was seen. It stops at more cases than are taken.
func (f *formatted) read(c *console.Console, line int, parser format.Parser) (cases []results.Case, whole bool) {
	lines := bufio.NewReaderSize(io.NewSectionReader(c, 0, c.Size()), maxText)
	open := f.file == ""
	whole = open
	begin, end := format.FileLines(f.file)
	for no := 1; no < line && len(cases) <= signal.DefaultMaxCases; no++ {
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
	}
	return cases, whole
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
