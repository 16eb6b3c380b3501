package web

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"

	"github.com/gantry-ci/gantry/app/checks"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/internal/plaintext"
	"github.com/gantry-ci/gantry/internal/terminal"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

const (
	tail       = 64 << 10 // bytes of the console on a run's page; of a further console a quarter
	liveEvents = 4 << 20  // bytes of events that are folded for a page; results of more are shown at the end only

	shownCases    = 5000 // of a run on its page, which then has some 2 MB
	shownFindings = 100  // likewise; each has its console lines
	shownWarnings = 50   // likewise
)

// runPage is what a run's page shows.
type runPage struct {
	checks.Run
	Source       lab.Source
	Done         bool
	Cases        []results.Case
	MoreCases    int // not shown
	Findings     []results.Finding
	MoreFindings int // not shown
	Warnings     []string
	Consoles     []consoleTail // the first one, then the further ones by name
}

// consoleTail is the end of a console.
type consoleTail struct {
	Name string // "" for the first one
	File string
	Path string // of the page with the whole console
	Text string
	Cut  bool // there is more before it

	Copies     bool // the target also sent results beside it
	CopiesFile string
	CopiesPath string
}

func (h *Handler) run(w http.ResponseWriter, r *http.Request) {
	p, err := h.load(r.Context(), r.PathValue("id"))
	h.show(w, r, "run.html", p, err)
}

// load reads what a run's page shows.
func (h *Handler) load(ctx context.Context, id string) (p runPage, err error) {
	row, err := h.Store.Run(ctx, id)
	if err != nil {
		return p, err
	}
	if p.Run, err = checks.LoadRun(ctx, h.Store, row); err != nil {
		return p, err
	}
	p.Source, p.Done = row.Source, row.State == store.RunCompleted
	if len(p.Attempts) == 0 {
		return p, nil
	}
	last := p.Attempts[len(p.Attempts)-1]
	if p.Consoles, err = h.consoles(row.ID, last.Number); err != nil {
		return p, err
	}
	if !last.Ended {
		p.Of, p.Results = last.Number, nil
	}
	res, warnings, err := h.recorded(row.ID, p.Of)
	if p.Warnings = warnings; !last.Ended {
		p.Results = res
	}
	if p.Results != nil {
		p.Cases, p.MoreCases = first(p.Results.Cases, shownCases)
		p.Findings, p.MoreFindings = first(p.Results.Findings, shownFindings)
	}
	return p, err
}

// first are the first of all, at most, and how many others there are.
func first[T any](all []T, most int) ([]T, int) {
	n := min(len(all), most)
	return all[:n], len(all) - n
}

// recorded folds the events of an attempt so far, and collects the warnings of its log. res is nil if there are no
// events, or too many for a page.
func (h *Handler) recorded(run string, attempt int) (res *results.Results, warnings []string, err error) {
	f, err := h.Blobs.Open(run, attempt, lab.Events)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	st, err := f.Stat()
	if err = errors.Join(err, f.Close()); err != nil || st.Size() > liveEvents {
		return nil, nil, err
	}
	res, _, err = h.Blobs.Results(run, attempt, func(e results.Event) {
		if e.Log != nil && (e.Log.Level == "warning" || e.Log.Level == "error") && len(warnings) < shownWarnings {
			warnings = append(warnings, e.Log.Message)
		}
	})
	return res, warnings, err
}

// has reports whether an attempt has a stream.
func (h *Handler) has(run string, attempt int, s lab.Stream) (bool, error) {
	f, err := h.Blobs.Open(run, attempt, s)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, f.Close()
}

// consoles reads the ends of an attempt's consoles.
func (h *Handler) consoles(run string, attempt int) ([]consoleTail, error) {
	further, err := h.Blobs.Consoles(run, attempt)
	if err != nil {
		return nil, err
	}
	var all []consoleTail
	for _, name := range append([]string{""}, further...) {
		c := consoleTail{Name: name, File: results.ConsoleLog(name), Path: checks.ConsolePath(run, name)}
		copies := lab.CopiesStream(name)
		if c.Copies, err = h.has(run, attempt, copies); err != nil {
			return nil, err
		}
		c.CopiesFile, c.CopiesPath = copies.File(), checks.CopiesPath(run, name)
		most := int64(tail)
		if name != "" {
			most /= 4
		}
		if c.Text, c.Cut, err = h.tail(run, attempt, lab.ConsoleStream(name), most); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// tail reads the last bytes of a stream, at most that many, as text.
func (h *Handler) tail(run string, attempt int, s lab.Stream, most int64) (text string, cut bool, err error) {
	f, err := h.Blobs.Open(run, attempt, s)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	cut, err = seekTail(f, most)
	if err != nil {
		return "", false, err
	}
	b, err := io.ReadAll(io.LimitReader(f, most))
	if cut {
		if _, rest, ok := strings.Cut(string(b), "\n"); ok {
			b = []byte(rest)
		}
	}
	return readable(b), cut, err
}

func seekTail(f *os.File, most int64) (cut bool, err error) {
	st, err := f.Stat()
	if err != nil || st.Size() <= most {
		return false, err
	}
	_, err = f.Seek(-most, io.SeekEnd)
	return true, err
}

// readable makes text of console bytes, without colors and cursor movement. The template escapes it.
func readable(b []byte) string { return plaintext.Printable(string(terminal.Strip(b)), "\n\t") }
