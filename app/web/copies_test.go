package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/jobs/lab"
)

// Results that were sent beside the console are served as plain text. Without any, there is no link.
func TestCopies(t *testing.T) {
	l := newLab(t)
	l.begin()
	path := "/runs/" + l.run.ID + "/results.dev"
	l.get(path, http.StatusNotFound)
	if page, _ := l.get("/runs/"+l.run.ID, http.StatusOK); strings.Contains(page, path) {
		t.Error("a link to what is not there")
	}
	const record = "\n@0.0 <GANTRY_RECORD 1 4e649263 LAVA_SIGNAL_STARTTC one>\n<script>\xff"
	l.append(lab.Copies, record)
	l.append(lab.CopiesStream("two"), "of the second guest")
	if got, _ := l.get("/runs/"+l.run.ID+"/consoles/two/results.dev", http.StatusOK); got != "of the second guest" {
		t.Errorf("beside the second console: %q", got)
	}
	if page, _ := l.get("/runs/"+l.run.ID, http.StatusOK); !strings.Contains(page, `<a href="`+path+`">`) {
		t.Errorf("no link:\n%s", page)
	}
	got, head := l.get(path, http.StatusOK)
	if got != record || head.Get("Content-Type") != "text/plain; charset=utf-8" ||
		head.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%q served as %v", got, head)
	}
}
