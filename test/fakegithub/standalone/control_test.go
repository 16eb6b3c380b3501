package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/test/fakegithub"
)

// TestControl runs the command as its users do: by flags, its output and HTTP.
func TestControl(t *testing.T) {
	var events []string
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var payload struct{ Action string }
		_ = json.NewDecoder(r.Body).Decode(&payload) // no action is what is then missing
		events = append(events, r.Header.Get("X-GitHub-Event")+" "+payload.Action)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer receiver.Close()
	dir, key := t.TempDir(), filepath.Join(t.TempDir(), "app.pem")
	if err := os.WriteFile(filepath.Join(dir, "README"), []byte("hello\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{
			"-repo", "octo-lab/kernel=" + dir, "-webhook", receiver.URL, "-secret", "s", "-key", key,
		}, write)
		_ = write.Close()
	}()
	said := make(chan string, 10)
	go func() {
		for lines := bufio.NewScanner(read); lines.Scan(); {
			said <- lines.Text()
		}
		close(said)
	}()
	var hello ready
	if first := <-said; json.Unmarshal([]byte(first), &hello) != nil || hello.Installations["octo-lab"] == 0 {
		t.Fatalf("it said %q", first)
	}
	if pem, err := os.ReadFile(key); err != nil || !bytes.Contains(pem, []byte("PRIVATE KEY")) {
		t.Errorf("key: %v", err)
	}
	post := func(path, body string, out any) {
		t.Helper()
		resp, err := http.Post(hello.Control+path, "application/json", bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK || json.NewDecoder(resp.Body).Decode(out) != nil {
			t.Fatalf("%s: %s", path, resp.Status)
		}
	}
	var opened, moved, forked, closed delivered
	post("/pull", `{"repo":"octo-lab/kernel","branch":"topic","files":{"a":"1"}}`, &opened)
	post("/pull", `{"repo":"octo-lab/kernel","branch":"topic","files":{"a":"2"}}`, &moved)
	post("/pull", `{"repo":"octo-lab/kernel","branch":"topic","files":{"a":"3"},"fork":"mallory"}`, &forked)
	post("/close", `{"repo":"octo-lab/kernel","number":1}`, &closed)
	if opened.Number != 1 || moved.Number != 1 || moved.Head == opened.Head || forked.Number != 2 ||
		closed.Head != moved.Head {
		t.Errorf("pull requests: %+v, %+v, %+v, %+v", opened, moved, forked, closed)
	}
	var d fakegithub.Delivery
	post("/deliver?event=ping&guid=g", `{"action":"x"}`, &d)
	if d.GUID != "g" || d.Status != http.StatusAccepted {
		t.Errorf("delivery: %+v", d)
	}
	want := []string{
		"pull_request opened", "pull_request synchronize", "pull_request opened", "pull_request closed", "ping x",
	}
	if len(events) != len(want) {
		t.Fatalf("events %q", events)
	}
	for i := range want {
		if events[i] != want[i] {
			t.Errorf("event %d is %q, want %q", i, events[i], want[i])
		}
	}
	var fault faultOrder
	post("/fault", `{"kind":"error","prefix":"/app"}`, &fault)
	for _, want := range []int{http.StatusBadGateway, http.StatusUnauthorized} {
		resp, err := http.Get(hello.API + "/app")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("answered %s, want %d", resp.Status, want)
		}
	}
	if violation := <-said; !strings.Contains(violation, "not a JWT") {
		t.Errorf("the violation was told as %q", violation)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
