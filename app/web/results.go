package web

import (
	"encoding/json"
	"net/http"

	"github.com/gantry-ci/gantry/app/store"
)

// results serves what the newest attempt of a run reported so far: results.json, as gantry run leaves it.
func (h *Handler) results(w http.ResponseWriter, r *http.Request) {
	p, err := h.look(r.Context(), r.PathValue("id"))
	if err == nil && p.Results == nil {
		err = store.ErrNotFound
	}
	if err != nil {
		h.show(w, r, "", nil, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(p.Results) // who asks may be gone
}
