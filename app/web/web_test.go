package web

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/app/checks"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

// testLab is a store with one run that has a lease.
type testLab struct {
	t      *testing.T
	h      *Handler
	store  *store.Store
	blobs  *store.Blobs
	run    store.Run
	runner string
	lease  store.Lease
}

func newLab(t *testing.T) *testLab {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Options{DSN: filepath.Join(dir, "gantry.db")})
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := store.OpenBlobs(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := blobs.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	l := &testLab{t: t, store: s, blobs: blobs}
	if l.h, err = New(Options{Store: s, Blobs: blobs, Logger: slog.New(slog.NewTextHandler(
		t.Output(), nil,
	))}); err != nil {
		t.Fatal(err)
	}
	err = s.Tx(t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
		l.run, _, err = s.CreateRun(ctx, tx, store.RunSpec{
			Name: "<b>smoke</b>", Trust: lab.Trusted, TargetType: "qemu", Job: []byte("{}"),
			Source: lab.Source{Repository: "o/r", Commit: "0123456789abcdef"},
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// begin leases a target to the run.
func (l *testLab) begin() {
	l.t.Helper()
	ctx := l.t.Context()
	token, err := l.store.NewEnrollment(ctx, "", time.Hour)
	if err != nil {
		l.t.Fatal(err)
	}
	if l.runner, err = l.store.Enroll(ctx, token, "bench", store.HashSecret("x")); err != nil {
		l.t.Fatal(err)
	}
	if err := l.store.ConnectRunner(
		ctx, l.runner, "s", "r", lab.Announcement{Targets: []lab.Target{{Name: "qemu-1", Type: "qemu", Health: lab.Good}}},
	); err != nil {
		l.t.Fatal(err)
	}
	if n, err := l.store.Schedule(ctx); err != nil || n != 1 {
		l.t.Fatal(n, err)
	}
	held, err := l.store.HeldLeases(ctx, l.runner)
	if err != nil || len(held) != 1 {
		l.t.Fatal(held, err)
	}
	l.lease = held[0]
}

func (l *testLab) append(s lab.Stream, text string) {
	l.t.Helper()
	if _, err := l.blobs.Append(l.run.ID, 1, s, 0, []byte(text)); err != nil {
		l.t.Fatal(err)
	}
}

func (l *testLab) get(path string, want int) (page string, head http.Header) {
	l.t.Helper()
	w := httptest.NewRecorder()
	l.h.ServeHTTP(w, httptest.NewRequestWithContext(l.t.Context(), http.MethodGet, path, http.NoBody))
	if w.Code != want {
		l.t.Fatalf("%s: %d, want %d: %s", path, w.Code, want, w.Body)
	}
	return w.Body.String(), w.Header()
}

// All that a guest prints is shown as text, and no page runs a script.
func TestHostileConsole(t *testing.T) {
	l := newLab(t)
	l.begin()
	l.append(lab.Console, "\x1b[31m<script>alert(1)</script>\x1b[0m\r\n\x1b]0;title\x07\x00\u202e\xff</pre><img src=x>\n")
	event, err := json.Marshal(results.Event{
		Seq: 1, Case: &results.Case{Suite: "0_smoke", Case: "<img src=y>", Result: results.Fail, Note: `"><script>`},
	})
	if err != nil {
		t.Fatal(err)
	}
	l.append(lab.Events, string(event)+"\n")
	page, head := l.get("/runs/"+l.run.ID, http.StatusOK)
	for _, bad := range []string{"<script", "<img", "\x1b", "\x00", "\u202e", "<b>smoke"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for _, good := range []string{"&lt;script&gt;alert(1)&lt;/script&gt;\n", "&lt;img src=y&gt;", "qemu-1"} {
		if !strings.Contains(page, good) {
			t.Errorf("the page lacks %q:\n%s", good, page)
		}
	}
	if csp := head.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") ||
		strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	_, head = l.get("/runs/"+l.run.ID+"/console", http.StatusOK)
	if head.Get("Content-Type") != "text/plain; charset=utf-8" || head.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the console is served as %v", head)
	}
}

// A page reloads itself while its run is in progress, and not afterwards.
func TestRefresh(t *testing.T) {
	const refresh = `http-equiv="refresh"`
	l := newLab(t)
	if page, _ := l.get("/runs/"+l.run.ID, http.StatusOK); !strings.Contains(page, refresh) ||
		!strings.Contains(page, "Place in the queue") {
		t.Errorf("queued:\n%s", page)
	}
	l.begin()
	r := results.NewResults()
	r.Verdict = results.Decide(nil, nil)
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.store.EndLease(t.Context(), l.runner, l.lease.ID, store.End{Verdict: r.Verdict, Results: b}); err != nil {
		t.Fatal(err)
	}
	if page, _ := l.get("/runs/"+l.run.ID, http.StatusOK); strings.Contains(page, refresh) ||
		!strings.Contains(page, `<span class="pass">`) {
		t.Errorf("done:\n%s", page)
	}
}

// Of a long console, the page shows the end, from the beginning of a line.
func TestTail(t *testing.T) {
	l := newLab(t)
	l.begin()
	l.append(lab.Console, strings.Repeat("0123456789\n", 20_000)+"the end\n")
	page, _ := l.get("/runs/"+l.run.ID, http.StatusOK)
	if !strings.Contains(page, "<pre>0123456789\n") || !strings.Contains(page, "the end\n</pre>") || len(page) > 2*tail {
		t.Errorf("page of %d bytes", len(page))
	}
}

func TestPages(t *testing.T) {
	l := newLab(t)
	if page, _ := l.get("/runs", http.StatusOK); !strings.Contains(page, l.run.ID) ||
		!strings.Contains(page, "&lt;b&gt;smoke") {
		t.Errorf("list:\n%s", page)
	}
	l.get("/", http.StatusFound)
	l.get("/style.css", http.StatusOK)
	for _, path := range []string{"/runs/none", "/runs/none/console", "/runs/" + l.run.ID +
		"/console", "/checks/none", "/x", "/runs/..%2f..%2fetc/console"} {
		l.get(path, http.StatusNotFound)
	}
	c := store.Check{
		ID: "c1", InstallationID: 1, Repo: "o/r", HeadSHA: "abc", Name: "gantry",
		Problem: checks.Problem{Conclusion: "failure", Title: "<i>line</i> 3"}.String(),
	}
	err := l.store.Tx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		_, err := l.store.PutCheck(ctx, tx, c)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if page, _ := l.get("/checks/c1", http.StatusOK); !strings.Contains(page, "&lt;i&gt;line&lt;/i&gt; 3") {
		t.Errorf("check:\n%s", page)
	}
}
