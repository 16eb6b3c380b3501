package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/export"
)

// results serves the results of a run's newest attempt so far, in the form of the results.json of gantry run.
func (h *Handler) results(w http.ResponseWriter, r *http.Request) {
	p, err := h.load(r.Context(), r.PathValue("id"))
	if err == nil && p.Results == nil {
		err = store.ErrNotFound
	}
	if err != nil {
		h.show(w, r, "", nil, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(p.Results) // it fails when the client is gone
}

// junit serves the results of a run that has ended as JUnit XML. There is no report of a run in progress: it would be
// mistaken for the whole.
func (h *Handler) junit(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	p, err := h.ended(r)
	if err == nil {
		err = export.JUnit(&b, p.Results)
	}
	h.file(w, r, "application/xml", &b, err)
}

// lava serves the results of a run that has ended as LAVA exports them.
func (h *Handler) lava(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	p, err := h.ended(r)
	if err == nil {
		x := export.NewLAVA(p.ID)
		if _, _, err = h.Blobs.Results(p.ID, p.Of, x.Apply); err == nil {
			// The app's verdict may differ from the recorded one.
			x.Apply(results.Event{Time: p.Results.Finished, Verdict: &p.Results.Verdict})
			err = x.Write(&b)
		}
	}
	h.file(w, r, "application/yaml", &b, err)
}

// ended loads a run whose results are final; any other is store.ErrNotFound.
func (h *Handler) ended(r *http.Request) (runPage, error) {
	p, err := h.load(r.Context(), r.PathValue("id"))
	if err == nil && (!p.Done || p.Results == nil || !p.Attempts[len(p.Attempts)-1].Ended) {
		err = store.ErrNotFound
	}
	return p, err
}

// file serves a file made for this request.
func (h *Handler) file(w http.ResponseWriter, r *http.Request, kind string, b *bytes.Buffer, err error) {
	if err != nil {
		h.show(w, r, "", nil, err)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = b.WriteTo(w) // it fails when the client is gone
}

// console serves a whole console of the last attempt as plain text.
func (h *Handler) console(w http.ResponseWriter, r *http.Request) {
	name, err := consoleOf(r)
	if err != nil {
		h.show(w, r, "", nil, err)
		return
	}
	h.stream(w, r, lab.ConsoleStream(name), "text/plain; charset=utf-8")
}

// events serves the record of the last attempt, one event a line.
func (h *Handler) events(w http.ResponseWriter, r *http.Request) {
	h.stream(w, r, lab.Events, "application/jsonl")
}

// copies serves the results that the target of the last attempt sent beside a console, as plain text: a test may have
// sent anything.
func (h *Handler) copies(w http.ResponseWriter, r *http.Request) {
	name, err := consoleOf(r)
	if err != nil {
		h.show(w, r, "", nil, err)
		return
	}
	h.stream(w, r, lab.CopiesStream(name), "text/plain; charset=utf-8")
}

func (h *Handler) stream(w http.ResponseWriter, r *http.Request, s lab.Stream, kind string) {
	attempts, err := h.Store.Attempts(r.Context(), r.PathValue("id"))
	if err == nil && len(attempts) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		h.show(w, r, "", nil, err)
		return
	}
	last := attempts[len(attempts)-1]
	f, err := h.Blobs.Open(last.RunID, last.Number, s)
	if errors.Is(err, fs.ErrNotExist) {
		err = store.ErrNotFound
	}
	if err != nil {
		h.show(w, r, "", nil, err)
		return
	}
	defer f.Close() //nolint:errcheck // only read
	w.Header().Set("Content-Type", kind)
	http.ServeContent(w, r, "", time.Time{}, f)
}
