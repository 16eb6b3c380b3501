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
	aroundLine = 150     // lines of the console before and after the one that was asked for
	longLine   = 4 << 10 // bytes of a line that are shown
)

// linesPage is a piece of a run's console.
type linesPage struct {
	checks.Run
	Console              string // its name; "" for the first one
	Path                 string // of all of it
	Line, Earlier, Later int    // what was asked for, and the lines to ask for next; 0 for none
	Lines                []consoleLine
}

// consoleLine is a line of the console as text.
type consoleLine struct {
	Number int
	Text   string
	Asked  bool
	Came   *arrival // nil where nobody knows

	offset int64
}

// arrival is when a line's first byte came.
type arrival struct {
	Time  time.Time
	After string // seconds since the console's first byte
}

// lines shows the console around a line: what evidence leads to.
func (h *Handler) lines(w http.ResponseWriter, r *http.Request) {
	p, err := h.around(r)
	h.show(w, r, "lines.html", p, err)
}

// consoleOf is the name of the console that a request asks for.
func consoleOf(r *http.Request) (string, error) {
	name := r.PathValue("console")
	if name != "" && !results.ValidConsole(name) {
		return "", store.ErrNotFound
	}
	return name, nil
}

func (h *Handler) around(r *http.Request) (p linesPage, err error) {
	line, err := strconv.Atoi(r.PathValue("line"))
	if err != nil || line < 1 {
		return p, store.ErrNotFound
	}
	if p.Console, err = consoleOf(r); err != nil {
		return p, err
	}
	row, err := h.Store.Run(r.Context(), r.PathValue("id"))
	if err != nil {
		return p, err
	}
	if p.Run, err = checks.LoadRun(r.Context(), h.Store, row); err != nil {
		return p, err
	}
	if len(p.Attempts) == 0 {
		return p, store.ErrNotFound
	}
	attempt := p.Of // whose results have the line
	if attempt == 0 {
		attempt = p.Attempts[len(p.Attempts)-1].Number
	}
	p.Path = checks.ConsolePath(row.ID, p.Console)
	f, err := h.Blobs.Open(row.ID, attempt, lab.ConsoleStream(p.Console))
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
	if err := h.came(row.ID, attempt, p.Console, p.Lines); err != nil {
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

// came says of the lines when they came, as far as the runner has told.
func (h *Handler) came(run string, attempt int, console string, lines []consoleLine) (err error) {
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
			return nil // a file that is no such file: the lines are shown without
		}
		var at time.Time
		if at, ok, err = results.ArrivalAt(f, st.Size(), lines[i].offset); err == nil && ok {
			lines[i].Came = &arrival{at, strconv.FormatFloat(at.Sub(first).Seconds(), 'f', 3, 64)}
		}
	}
	return nil
}

// read reads the lines around p.Line, and says whether there are more after them.
func (p *linesPage) read(console io.Reader) (more bool, err error) {
	in := bufio.NewReaderSize(console, longLine)
	first, last := max(p.Line-aroundLine, 1), p.Line+aroundLine
	number, begins, offset := 1, true, int64(0) // of what is read next; whether it begins a line
	for {
		piece, err := in.ReadSlice('\n')
		if len(piece) > 0 && number > last {
			return true, nil
		}
		if begins && len(piece) > 0 && number >= first {
			p.Lines = append(p.Lines, consoleLine{
				Number: number, Text: strings.TrimRight(readable(piece), "\n"), Asked: number == p.Line, offset: offset,
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
