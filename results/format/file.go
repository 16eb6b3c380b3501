package format

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/gantry-ci/gantry/results"
)

// Limits of a file of results, which the code under test writes.
const (
	maxFile = 64 << 20
	maxLine = 1 << 20 // longer lines are cut
)

// Read reads a whole file of results. The cases have no line in console.log; their note says where in the file they
// are, as "FILE:LINE". What lies behind the first 64 MiB is reported as missing.
func Read(format, suite, file string, r io.Reader) ([]results.Case, error) {
	p, err := New(format, suite)
	if err != nil {
		return nil, err
	}
	limited := &io.LimitedReader{R: r, N: maxFile}
	lines := bufio.NewReaderSize(limited, 64<<10)
	var cases []results.Case
	for no := 1; ; no++ {
		line, err := readLine(lines)
		if len(line) > 0 {
			cases = append(cases, p.Line(line, no)...)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read results of %q: %w", file, err)
		}
	}
	cases = append(cases, p.Close()...)
	for i := range cases {
		place(&cases[i], file)
	}
	if n, _ := r.Read(make([]byte, 1)); limited.N <= 0 && n > 0 {
		cases = append(cases, results.Case{
			Suite: suite, Case: "rest of the file", Result: results.Missing,
			Message: fmt.Sprintf("%s has more than %d bytes", file, maxFile),
		})
	}
	return cases, nil
}

// Section reads the lines first to last (1-based, both included) of a console's record; r begins at the line at, which
// is not after first. It is for a test that prints a format: its lines are those between its start and its end signal.
func Section(format, suite string, r io.Reader, at, first, last int) ([]results.Case, error) {
	p, err := New(format, suite)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewReaderSize(r, 64<<10)
	var cases []results.Case
	for no := at; no <= last; no++ {
		line, err := readLine(lines)
		if len(line) > 0 && no >= first {
			cases = append(cases, p.Line(line, no)...)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the console's record: %w", err)
		}
	}
	return append(cases, p.Close()...), nil
}

// readLine reads a line, of which it keeps maxLine.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part[:min(len(part), maxLine-len(line))]...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// place moves a case's line from the console's to the file's.
func place(c *results.Case, file string) {
	if c.LogLine == nil {
		return
	}
	at := fmt.Sprintf("%s:%d", file, *c.LogLine)
	if c.LogLine = nil; c.Note != "" {
		at = c.Note + ", " + at
	}
	c.Note = at
}
