package web

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/app/checks"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

const (
	aroundLine = 150     // lines of the console shown before and after the requested one
	longLine   = 4 << 10 // bytes of a line that are shown
)

// linesPage is a part of a run's console.
type linesPage struct {
	checks.Run
	Console              string // its name; "" for the first one
	Path                 string // of the page with the whole console
	Line, Earlier, Later int    // the requested line, and those to link to for the parts before and after; 0 for none
	Lines                []consoleLine
}

// consoleLine is a line of the console as text.
type consoleLine struct {
	Number    int
	Text      string
	Requested bool
	Arrived   *arrival // nil if it is not known

	offset int64
}

// arrival is when the first byte of a line arrived.
type arrival struct {
	Time  time.Time
	After string // seconds since the console's first byte
}

// lines shows the console around a line. Evidence links there.
func (h *Handler) lines(w http.ResponseWriter, r *http.Request) {
	p, err := h.loadLines(r)
	h.show(w, r, "lines.html", p, err)
}

// consoleOf is the name of the requested console.
func consoleOf(r *http.Request) (string, error) {
	name := r.PathValue("console")
	if name != "" && !results.ValidConsole(name) {
		return "", store.ErrNotFound
	}
	return name, nil
}

// loadLines reads the requested line and those around it.
func (h *Handler) loadLines(r *http.Request) (p linesPage, err error) {
	line, err := strconv.Atoi(r.PathValue("line"))
	if err != nil || line < 1 {
		return p, store.ErrNotFound
	}
	if p.Console, err = consoleOf(r); err != nil {
		return p, err
	}
	attempt, err := h.loadAttempt(r, &p.Run)
	if err != nil {
		return p, err
	}
	p.Path = checks.ConsolePath(p.ID, p.Console)
	f, err := h.Blobs.Open(p.ID, attempt, lab.ConsoleStream(p.Console))
	if errors.Is(err, fs.ErrNotExist) {
		return p, store.ErrNotFound
	}
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	p.Line = line
	more, err := p.read(f)
	if err != nil {
		return p, err
	}
	if len(p.Lines) == 0 || p.Lines[len(p.Lines)-1].Number < line {
		return p, store.ErrNotFound
	}
	if err := h.loadArrivals(p.ID, attempt, p.Console, p.Lines); err != nil {
		return p, err
	}
	if p.Lines[0].Number > 1 {
		p.Earlier = max(line-2*aroundLine, 1)
	}
	if more {
		p.Later = line + 2*aroundLine
	}
	return p, nil
}

// loadAttempt reads the requested run, and returns the number of the attempt whose results name lines.
func (h *Handler) loadAttempt(r *http.Request, run *checks.Run) (attempt int, err error) {
	row, err := h.Store.Run(r.Context(), r.PathValue("id"))
	if err != nil {
		return 0, err
	}
	if *run, err = checks.LoadRun(r.Context(), h.Store, row); err != nil {
		return 0, err
	}
	if len(run.Attempts) == 0 {
		return 0, store.ErrNotFound
	}
	if run.Of > 0 {
		return run.Of, nil
	}
	return run.Attempts[len(run.Attempts)-1].Number, nil
}

// loadArrivals adds to the lines when they arrived, as far as the runner has recorded it.
func (h *Handler) loadArrivals(run string, attempt int, console string, lines []consoleLine) (err error) {
	f, err := h.Blobs.Open(run, attempt, lab.TimesStream(console))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	first, ok, err := results.ArrivalAt(f, st.Size(), 0)
	for i := range lines {
		if err != nil || !ok {
			return nil // the file is damaged, and the lines are shown without times
		}
		var at time.Time
		if at, ok, err = results.ArrivalAt(f, st.Size(), lines[i].offset); err == nil && ok {
			lines[i].Arrived = &arrival{at, strconv.FormatFloat(at.Sub(first).Seconds(), 'f', 3, 64)}
		}
	}
	return nil
}

// read reads the lines around p.Line. more is true if others follow.
func (p *linesPage) read(console io.Reader) (more bool, err error) {
	in := bufio.NewReaderSize(console, longLine)
	first, last := max(p.Line-aroundLine, 1), p.Line+aroundLine
	number, begins, offset := 1, true, int64(0) // of the next piece; begins: the piece begins a line
	for {
		piece, err := in.ReadSlice('\n')
		if len(piece) > 0 && number > last {
			return true, nil
		}
		if begins && len(piece) > 0 && number >= first {
			p.Lines = append(p.Lines, consoleLine{
				Number: number, Text: strings.TrimRight(readable(piece), "\n"), Requested: number == p.Line, offset: offset,
			})
		}
		offset += int64(len(piece))
		switch {
		case err == nil:
			number, begins = number+1, true
		case errors.Is(err, bufio.ErrBufferFull): // the rest of a long line is left out
			begins = false
		case errors.Is(err, io.EOF):
			return false, nil
		default:
			return false, err
		}
	}
}
