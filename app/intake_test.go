package app_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/app"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/test/fakegithub"
)

// post sends a webhook by hand.
func (l *testLab) post(body io.Reader, header map[string]string) (int, string) {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, l.url("/hook"), body)
	if err != nil {
		l.t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

func TestIntake(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *app.Options, _ *fakegithub.Options) { o.WebhookSecrets = []string{secret, "the next one"} })
	const body = `{"zen":"Design for failure."}`
	huge := strings.Repeat(" ", 26<<20)
	signed := func(by, text string) map[string]string {
		return map[string]string{"X-Hub-Signature-256": fakegithub.Sign(by, []byte(text))}
	}
	for _, tt := range []struct {
		name, body string
		header     map[string]string
		want       int
	}{
		{
			"GitHub's own vector", "Hello, World!",
			map[string]string{"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
			202,
		},
		{"signed", body, signed(secret, body), 202},
		{"signed by the next secret", body, signed("the next one", body), 202},
		{"missing", body, nil, 401},
		{"empty", body, map[string]string{"X-Hub-Signature-256": ""}, 401},
		{"wrong secret", body, signed("guess", body), 401},
		{"empty key", body, signed("", body), 401},
		{"of another body", body, signed(secret, body+" "), 401},
		{"SHA-1 only", body, map[string]string{"X-Hub-Signature": "sha1=b82a1df3a9f7a2c9a8bfb6d2d7f5b4d3b1a4c7de"}, 401},
		{
			"SHA-1 in its place", body,
			map[string]string{"X-Hub-Signature-256": "sha1=b82a1df3a9f7a2c9a8bfb6d2d7f5b4d3b1a4c7de"},
			401,
		},
		{"not hexadecimal", body, map[string]string{"X-Hub-Signature-256": "sha256=" + strings.Repeat("z", 64)}, 401},
		{"cut", body, map[string]string{"X-Hub-Signature-256": signed(secret, body)["X-Hub-Signature-256"][:40]}, 401},
		{"26 MB", huge, signed(secret, huge), 413},
		{"26 MB unsigned", huge, nil, 401},
		{
			"form", body,
			map[string]string{
				"Content-Type": "application/x-www-form-urlencoded", "X-Hub-Signature-256": fakegithub.Sign(secret, []byte(body)),
			},
			415,
		},
		{
			"no GUID", body,
			map[string]string{"X-GitHub-Delivery": "", "X-Hub-Signature-256": fakegithub.Sign(secret, []byte(body))},
			400,
		},
		{
			"long GUID", body,
			map[string]string{
				"X-GitHub-Delivery": strings.Repeat("a", 65), "X-Hub-Signature-256": fakegithub.Sign(secret, []byte(body)),
			},
			400,
		},
		{
			"hostile event", body,
			map[string]string{"X-GitHub-Event": "ping; drop", "X-Hub-Signature-256": fakegithub.Sign(secret, []byte(body))},
			400,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			guid := strings.NewReplacer(" ", "-", "'", "").Replace(tt.name)
			header := map[string]string{"Content-Type": "application/json", "X-GitHub-Delivery": guid, "X-GitHub-Event": "ping"}
			maps.Copy(header, tt.header)
			if got, answer := l.post(strings.NewReader(tt.body), header); got != tt.want {
				t.Errorf("answered %d: %s; want %d", got, answer, tt.want)
			}
			_, err := l.app.Store().Delivery(t.Context(), guid)
			if kept := !errors.Is(err, store.ErrNotFound); kept != (tt.want == 202) {
				t.Errorf("kept: %v, %v", kept, err)
			}
		})
	}
	if code, _ := l.get("/hook"); code != http.StatusMethodNotAllowed {
		t.Errorf("GET /hook: %d", code)
	}
}

// Strangers who send a payload slowly, or stop in the middle, do not keep others out.
func TestSlowSenders(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		sent  int // by each stranger, of what it announces
		other int // bytes of GitHub's payload
	}{
		{"nothing", 0, 30 << 10},
		{"some", 10 << 10, 30 << 10},
		{"more than is small", 100 << 10, 30 << 10},
		{"more than is small, and GitHub too", 100 << 10, 1 << 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			const strangers = 20
			for range strangers {
				conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.app.Addr())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				_, err = fmt.Fprintf(conn, "POST /hook HTTP/1.1\r\nHost: lab\r\nContent-Type: application/json\r\n"+
					"X-Hub-Signature-256: %s\r\nContent-Length: %d\r\n\r\n%s",
					fakegithub.Sign("guess", nil), 1<<20, strings.Repeat(" ", tt.sent))
				if err != nil {
					t.Fatal(err)
				}
			}
			// All of them connected before GitHub: the last one that is answered was the first one that was read.
			body := `{"zen":"` + strings.Repeat("x", tt.other) + `"}`
			header := map[string]string{
				"Content-Type": "application/json", "X-GitHub-Delivery": "g", "X-GitHub-Event": "ping",
				"X-Hub-Signature-256": fakegithub.Sign(secret, []byte(body)),
			}
			for n := range 20 {
				began := time.Now()
				header["X-GitHub-Delivery"] = fmt.Sprintf("g-%d", n)
				if got, answer := l.post(strings.NewReader(body), header); got != http.StatusAccepted {
					t.Fatalf("answered %d: %s", got, answer)
				}
				if took := time.Since(began); took > 10*time.Second { // GitHub's own patience
					t.Errorf("GitHub waited %s", took)
				}
			}
		})
	}
}

// A lab without a secret would let anybody start runs.
func TestEmptySecret(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, secrets := range [][]string{nil, {""}, {" "}, {secret, ""}} {
		o := l.opts
		o.WebhookSecrets, o.Database = secrets, t.TempDir()+"/gantry.db"
		if a, err := app.New(t.Context(), o); err == nil || !strings.Contains(err.Error(), "secret") {
			t.Errorf("secrets %q: %v, %v", secrets, a, err)
		}
	}
}
