package ghapi

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// server is an API that issues tokens and answers all other requests with f.
func server(t *testing.T, f http.HandlerFunc) *App {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /app/installations/{id}/access_tokens", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"token": "ghs_" + r.PathValue("id"), "expires_at": time.Now().Add(time.Hour),
		})
	})
	mux.HandleFunc("/", f)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return appFor(t, s.URL, nil)
}

func appFor(t *testing.T, url string, now func() time.Time) *App {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(Options{
		AppID: 1, BaseURL: url, Registerer: prometheus.NewRegistry(), Now: now,
		PrivateKey: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		header map[string]string
		body   string
		want   error
		after  time.Duration
	}{
		{"missing", 404, nil, `{"message":"Not Found"}`, ErrNotFound, 0},
		{"forbidden", 403, nil, `{"message":"Resource not accessible by integration"}`, ErrForbidden, 0},
		{"unauthorized", 401, nil, `{"message":"Bad credentials"}`, ErrForbidden, 0},
		{"invalid", 422, nil, `{"message":"Validation Failed","errors":[{"message":"No commit found"}]}`, ErrInvalid, 0},
		{
			"primary", 403,
			map[string]string{
				"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(time.Now().Add(90 * time.Second).Unix()),
			},
			`{}`, nil, 90 * time.Second,
		},
		{
			"primary for ever", 403,
			map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9999999999"},
			`{}`,
			nil, time.Hour,
		},
		{"secondary", 403, map[string]string{"Retry-After": "30"}, `{}`, nil, 30 * time.Second},
		{"secondary for ever", 429, map[string]string{"Retry-After": "99999999"}, `{}`, nil, time.Hour},
		{"secondary without a time", 429, nil, `{}`, nil, time.Minute},
		{"secondary by its text", 403, nil, `{"message":"You have exceeded a secondary rate limit."}`, nil, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var calls atomic.Int64
			a := server(t, func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				for k, v := range tt.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			})
			_, err := a.Installation(1).Pull(t.Context(), "o/r", 1)
			limit := (*LimitError)(nil)
			if tt.want != nil && !errors.Is(err, tt.want) ||
				tt.after != 0 && (!errors.As(err, &limit) || (limit.After-tt.after).Abs() > 20*time.Second) {
				t.Fatalf("got %v", err)
			}
			if tt.after == 0 {
				return
			}
			// After the limit, GitHub is not asked again for this installation, but for another one.
			if _, err := a.Installation(1).Pull(t.Context(), "o/r", 1); !errors.As(err, &limit) || calls.Load() != 1 {
				t.Errorf("asked %d times: %v", calls.Load(), err)
			}
			if _, err := a.Installation(2).Pull(t.Context(), "o/r", 1); calls.Load() != 2 {
				t.Errorf("another installation is held up: %v", err)
			}
		})
	}
}

// A limit ends when its time is over, whatever go-github has stored.
func TestLimitEnds(t *testing.T) {
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "access_tokens") {
			_ = json.NewEncoder(w).Encode(map[string]any{"token": "t", "expires_at": time.Now().Add(time.Hour)})
			return
		}
		if calls.Add(1) == 1 {
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-Reset", "9999999999")
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = w.Write([]byte(`{"number":1,"state":"open"}`))
	}))
	defer s.Close()
	now := time.Now()
	a := appFor(t, s.URL, func() time.Time { return now })
	if _, err := a.Installation(1).Pull(t.Context(), "o/r", 1); err == nil {
		t.Fatal("not limited")
	}
	now = now.Add(time.Hour + time.Second)
	if p, err := a.Installation(1).Pull(t.Context(), "o/r", 1); err != nil || !p.Open {
		t.Errorf("%+v, %v", p, err)
	}
}

// The client stops before GitHub's own limit of writes is reached.
func TestWriteBudget(t *testing.T) {
	now, sent := time.Now(), 0
	l := newLimiter(roundTrip(func(*http.Request) (*http.Response, error) {
		sent++
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}, nil
	}), func() time.Time { return now }, mustMeter(t))
	write := func() error {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody)
		resp, err := l.RoundTrip(r)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err
	}
	for minute := range 7 {
		for range 100 {
			limit := (*LimitError)(nil)
			if err := write(); err != nil && (!errors.As(err, &limit) || limit.After <= 0 || limit.After > time.Hour) {
				t.Fatal(err)
			}
		}
		if want := min(80*(minute+1), 500); sent != want {
			t.Errorf("minute %d: %d writes, want %d", minute, sent, want)
		}
		now = now.Add(time.Minute)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func mustMeter(t *testing.T) *meter {
	t.Helper()
	m, err := newMeter(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The token is sent to the configured host only.
func TestRedirect(t *testing.T) {
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host was asked, with %q", r.Header.Get("Authorization"))
	}))
	defer thief.Close()
	a := server(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/repositories/") {
			_, _ = w.Write([]byte(`{"number":1,"state":"open"}`))
			return
		}
		to := thief.URL
		if strings.Contains(r.URL.Path, "renamed") {
			to = "/repositories/9/pulls/1"
		}
		http.Redirect(w, r, to, http.StatusMovedPermanently)
	})
	if _, err := a.Installation(1).Pull(t.Context(), "o/r", 1); err == nil ||
		!strings.Contains(err.Error(), "another host") {
		t.Errorf("got %v", err)
	}
	if p, err := a.Installation(1).Pull(t.Context(), "o/renamed", 1); err != nil || !p.Open {
		t.Errorf("renamed: %+v, %v", p, err)
	}
}

// A repository's name from a webhook cannot lead elsewhere in the API.
func TestHostileNames(t *testing.T) {
	a := server(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked %s", r.URL) })
	c := a.Installation(1)
	for _, repo := range []string{
		"", "o", "o/", "/r", "../r", "o/..", "o/r/x", "o/r?x", "o/r#", "o/%2e%2e", "o/r x", "ö/r",
	} {
		if _, err := c.Pull(t.Context(), repo, 1); !errors.Is(err, ErrInvalid) {
			t.Errorf("repository %q: %v", repo, err)
		}
	}
	for _, path := range []string{"", ".", "/etc/passwd", "../x", "a/../b", "a//b"} {
		if _, err := c.File(t.Context(), "o/r", path, "abc"); !errors.Is(err, ErrInvalid) {
			t.Errorf("path %q: %v", path, err)
		}
	}
}

// An endless response is cut.
func TestHugeResponse(t *testing.T) {
	a := server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"content":"`))
		for r.Context().Err() == nil {
			if _, err := w.Write(bytes.Repeat([]byte("x"), 1<<20)); err != nil {
				return
			}
		}
	})
	if _, err := a.Installation(1).File(t.Context(), "o/r", "a", "abc"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, base := range []string{"ftp://x/", "://", "github.com", "https://u:p@x/", "https://x/?q"} {
		if _, err := New(Options{BaseURL: base, Registerer: prometheus.NewRegistry()}); err == nil {
			t.Errorf("address %q is taken", base)
		}
	}
	_, err := New(Options{AppID: 1, PrivateKey: []byte("s3cret"), Registerer: prometheus.NewRegistry()})
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
}
