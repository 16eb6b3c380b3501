package web

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"

	"github.com/gantry-ci/gantry/app/checks"
	"github.com/gantry-ci/gantry/app/store"
)

//go:embed assets
var assets embed.FS

// listed is how many runs the list of runs shows.
const listed = 100

// Options of the pages. All are required.
type Options struct {
	Store  *store.Store
	Blobs  *store.Blobs
	Logger *slog.Logger
}

// Handler serves the pages.
type Handler struct {
	Options
	mux   *http.ServeMux
	pages *template.Template
}

// New makes the pages.
func New(o Options) (*Handler, error) {
	pages, err := template.New("").Funcs(functions()).ParseFS(assets, "assets/*.html")
	if err != nil {
		return nil, fmt.Errorf("read pages: %w", err)
	}
	static, err := fs.Sub(assets, "assets")
	if err != nil {
		return nil, fmt.Errorf("read pages: %w", err)
	}
	h := &Handler{Options: o, mux: http.NewServeMux(), pages: pages}
	h.mux.Handle("GET /style.css", http.FileServerFS(static))
	h.mux.Handle("GET /{$}", http.RedirectHandler("/runs", http.StatusFound))
	h.mux.HandleFunc("GET /runs", h.runs)
	h.mux.HandleFunc("GET /runs/{id}", h.run)
	h.mux.HandleFunc("GET /runs/{id}/console", h.console)
	h.mux.HandleFunc("GET /runs/{id}/console/{line}", h.lines)
	h.mux.HandleFunc("GET /runs/{id}/consoles/{console}", h.console)
	h.mux.HandleFunc("GET /runs/{id}/consoles/{console}/{line}", h.lines)
	h.mux.HandleFunc("GET /runs/{id}/consoles/{console}/results.dev", h.copies)
	h.mux.HandleFunc("GET /runs/{id}/results.json", h.results)
	h.mux.HandleFunc("GET /runs/{id}/junit.xml", h.junit)
	h.mux.HandleFunc("GET /runs/{id}/lava-results.yaml", h.lava)
	h.mux.HandleFunc("GET /runs/{id}/events.jsonl", h.events)
	h.mux.HandleFunc("GET /runs/{id}/results.dev", h.copies)
	h.mux.HandleFunc("GET /checks/{id}", h.check)
	return h, nil
}

// ServeHTTP serves a page.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set(
		"Content-Security-Policy",
		"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cache-Control", "no-store")
	h.mux.ServeHTTP(w, r)
}

// show responds with a page, or with an error.
func (h *Handler) show(w http.ResponseWriter, r *http.Request, page string, data any, err error) {
	if errors.Is(err, store.ErrNotFound) {
		http.NotFound(w, r)
		return
	}
	var b bytes.Buffer
	if err == nil {
		err = h.pages.ExecuteTemplate(&b, page, data)
	}
	if err != nil {
		h.Logger.ErrorContext(r.Context(), "page not shown", "path", r.URL.Path, "err", err)
		http.Error(w, "the page cannot be shown now", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = b.WriteTo(w) // it fails when the client is gone
}

func (h *Handler) runs(w http.ResponseWriter, r *http.Request) {
	runs, err := h.Store.Runs(r.Context(), listed)
	h.show(w, r, "runs.html", runs, err)
}

// check redirects to the run of a check, lists its runs if it has several, and says why if it has none.
func (h *Handler) check(w http.ResponseWriter, r *http.Request) {
	c, err := h.Store.Check(r.Context(), r.PathValue("id"))
	if err != nil {
		h.show(w, r, "", nil, err)
		return
	}
	v, err := checks.Load(r.Context(), h.Store, c)
	if err == nil && len(v.Runs) == 1 {
		http.Redirect(w, r, "/runs/"+v.Runs[0].ID, http.StatusFound)
		return
	}
	h.show(w, r, "check.html", v, err)
}
