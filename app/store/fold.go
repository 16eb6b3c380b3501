package store

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

// Results folds the events of an attempt, as far as they arrived. Without events the results are empty. lost counts the
// places where events are missing or cannot be read: with any, the results are incomplete. also is called with each
// event that is applied.
func (b *Blobs) Results(
	run string, attempt int, also ...func(results.Event),
) (res *results.Results, lost int, err error) {
	f, err := b.Open(run, attempt, lab.Events)
	if errors.Is(err, fs.ErrNotExist) {
		return results.NewResults(), 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return FoldEvents(f, also...)
}

// FoldEvents reads a stream of events, one JSON object a line. A last line without its end is left out: the rest of it
// may still come. Skipped numbers, lines that are no event, and cases above a limit are counted as lost.
func FoldEvents(r io.Reader, also ...func(results.Event)) (res *results.Results, lost int, err error) {
	res = results.NewResults()
	in := bufio.NewReaderSize(r, maxLine)
	var last int64
	for {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return res, lost, nil
		case errors.Is(err, bufio.ErrBufferFull):
			lost++
			if err := skipLine(in); err != nil {
				return res, lost, err
			}
			continue
		case err != nil:
			return res, lost, fmt.Errorf("read events: %w", err)
		}
		var e results.Event
		if json.Unmarshal(line, &e) != nil || e.Seq <= last {
			lost++
			continue
		}
		if e.Seq != last+1 {
			lost++
		}
		last = e.Seq
		if e.Case != nil && len(res.Cases) >= maxCases || e.Finding != nil && len(res.Findings) >= maxCases {
			lost++
			continue
		}
		res.Apply(e)
		for _, apply := range also {
			apply(e)
		}
	}
}

// skipLine reads to the end of a line; the end of the file is no error.
func skipLine(in *bufio.Reader) error {
	for {
		_, err := in.ReadSlice('\n')
		switch {
		case err == nil || errors.Is(err, io.EOF):
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("read events: %w", err)
		}
	}
}
