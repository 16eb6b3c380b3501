// Package served_test has the lab serve a pull request as it serves users: GitHub is test/fakegithub, and all else is
// real, up to the kernel in QEMU. It looks at what people and dashboards see of results: checks, pages and files.
package served_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/cli"
	"github.com/gantry-ci/gantry/test/guest"
	"github.com/gantry-ci/gantry/test/scene"
)

const (
	// checkTimeout is for a few boots on a busy machine without KVM.
	checkTimeout = 10 * time.Minute
	pollInterval = 100 * time.Millisecond
)

// serve opens a pull request with the folder's files, and returns its checks by name once all jobs are completed, while
// the lab still serves its pages.
func serve(t *testing.T, repo string, jobs int, change func(*cli.Lab)) map[string]scene.CheckRun {
	t.Helper()
	s := open(t, repo)
	start(t, s, change)
	return checks(t, s, pull(t, s), jobs, "completed")
}

// open is GitHub's side, with the folder's files in a repository.
func open(t *testing.T, repo string) *scene.Scene {
	t.Helper()
	guest.Need(t)
	s, err := scene.Open(t.Context(), t.TempDir(), repo)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Hub.Close(); err != nil {
			t.Error(err)
		}
		for _, v := range s.Hub.Violations() {
			t.Error("GitHub's rules were broken:", v)
		}
	})
	return s
}

// pull opens a pull request, and is its head.
func pull(t *testing.T, s *scene.Scene) (head string) {
	t.Helper()
	p, err := s.Pull("")
	if err != nil {
		t.Fatal(err)
	}
	if d, err := s.Opened(t.Context(), p); err != nil || d.Status != http.StatusAccepted {
		t.Fatalf("the webhook was answered %d: %v", d.Status, err)
	}
	return p.Head
}

// checks are those of a commit by name, once that many have the status.
func checks(t *testing.T, s *scene.Scene, head string, jobs int, status string) map[string]scene.CheckRun {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), checkTimeout, fmt.Errorf("not %s after %s", status, checkTimeout))
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		all, err := s.Checks(ctx, head)
		if err != nil {
			t.Fatal(errors.Join(err, context.Cause(ctx)))
		}
		done := map[string]scene.CheckRun{}
		for _, c := range all {
			if c.Status == status {
				done[c.Name] = c
			}
		}
		if len(done) == jobs {
			return done
		}
		<-tick.C
	}
}

// TestStoppedDuringRun: a lab that is stopped ends the run and reports it before the app stops.
func TestStoppedDuringRun(t *testing.T) {
	t.Parallel()
	s := open(t, "../demo/repos/hang")
	stop := start(t, s, nil)
	checks(t, s, pull(t, s), 1, "in_progress")
	if err := stop(); err != nil {
		t.Error("the lab:", err)
	}
}

// start runs app and runner as gantry dev has them, until stop or the end of the test.
func start(t *testing.T, s *scene.Scene, change func(*cli.Lab)) (stop func() error) {
	t.Helper()
	images := guest.Images(t)
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0") // the app's own URL must be known before it listens
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	lab, err := cli.Dev(cli.DevOptions{
		Dir: t.TempDir(), Listen: addr, GitHubURL: s.Hub.URL(), AppID: s.Hub.AppID(), PrivateKey: s.Hub.PrivateKey(),
		FileRoots: []string{images},
		Logger:    slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&lab)
	}
	ready := make(chan struct{})
	lab.Ready = func(addr string) error {
		s.Hub.SetWebhook("http://"+addr+"/hook", lab.App.WebhookSecrets[0])
		close(ready)
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- cli.ServeLab(ctx, lab) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-served
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error("the lab:", err)
		}
	})
	select {
	case <-ready:
	case err := <-served:
		served <- err
		t.Fatal("the lab did not start")
	}
	return stop
}

// get reads a page or file, and where it was led to.
func get(t *testing.T, url string) (end, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v", url, resp.Status, err)
	}
	return resp.Request.URL.String(), string(b)
}

// has holds that the text has all of these.
func has(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s lacks %q:\n%s", what, p, text)
		}
	}
}
