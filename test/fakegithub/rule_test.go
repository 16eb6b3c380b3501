package fakegithub_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/gantry-ci/gantry/test/fakegithub"
)

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// send sends a request with a body as it is, and returns the status and message.
func send(t *testing.T, l *lab, token, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, l.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct{ Message string }
	_ = json.NewDecoder(resp.Body).Decode(&answer) // not every answer is an object
	return resp.StatusCode, answer.Message
}

func (l *lab) token(t *testing.T) string {
	t.Helper()
	token, _, err := l.app.Apps.CreateInstallationToken(t.Context(), l.inst.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	return token.GetToken()
}

// TestCheckRunRules breaks each rule of check runs: each is refused, recorded
// once, and changes nothing.
func TestCheckRunRules(t *testing.T) {
	l := newStrictLab(t, fakegithub.Options{})
	token, sha := l.token(t), l.repo.Head("")
	many, err := json.Marshal(annotations(51))
	if err != nil {
		t.Fatal(err)
	}
	output := func(rest string) string { return `"output":{"title":"t","summary":"s"` + rest + `}` }
	annotation := func(fields string) string {
		return output(`,"annotations":[{"annotation_level":"notice","message":"m",` + fields + `}]`)
	}
	for name, c := range map[string]struct {
		fields string
		rule   fakegithub.Rule
		reason string
	}{
		"completed without conclusion": {`"status":"completed"`, fakegithub.RuleGitHub, "conclusion is required"},
		"completed_at alone": {
			`"completed_at":"2026-01-02T03:04:05Z"`, fakegithub.RuleGitHub, "conclusion is required",
		},
		"conclusion in progress": {
			`"status":"in_progress","conclusion":"success"`, fakegithub.RuleGitHub, "with the status",
		},
		"conclusion stale":   {`"conclusion":"stale"`, fakegithub.RuleGitHub, "stale"},
		"unknown conclusion": {`"conclusion":"passed"`, fakegithub.RuleRequest, "conclusion"},
		"unknown status":     {`"status":"running"`, fakegithub.RuleRequest, "status"},
		"details_url":        {`"details_url":"/runs/1"`, fakegithub.RuleGitHub, "details_url"},
		"51 annotations":     {output(`,"annotations":` + string(many)), fakegithub.RuleRequest, "annotations"},
		"summary of 65,536 characters": {
			output(`,"text":"` + strings.Repeat("x", 65536) + `"`), fakegithub.RuleRequest, "text",
		},
		"text of 65,536 bytes": {output(`,"text":"` + strings.Repeat("é", 32768) + `"`), fakegithub.RuleGitHub, "bytesize"},
		"no summary":           {`"output":{"title":"t"}`, fakegithub.RuleRequest, "summary"},
		"absolute path": {
			annotation(`"path":"/etc/passwd","start_line":1,"end_line":1`), fakegithub.RuleGitHub, "not relative",
		},
		"empty path": {annotation(`"path":"","start_line":1,"end_line":1`), fakegithub.RuleGitHub, "path is empty"},
		"line 0": {
			annotation(`"path":"a","start_line":0,"end_line":0`), fakegithub.RuleGitHub, "lines start at 1",
		},
		"end before start": {
			annotation(`"path":"a","start_line":3,"end_line":2`), fakegithub.RuleGitHub, "before start_line",
		},
		"columns over lines": {
			annotation(`"path":"a","start_line":1,"end_line":2,"start_column":1`), fakegithub.RuleGitHub, "columns",
		},
		"annotation level": {
			output(`,"annotations":[{"annotation_level":"error","message":"m","path":"a","start_line":1,"end_line":1}]`),
			fakegithub.RuleRequest, "annotation_level",
		},
		"long title": {
			annotation(`"path":"a","start_line":1,"end_line":1,"title":"` + strings.Repeat("x", 256) + `"`),
			fakegithub.RuleGitHub, "title",
		},
		"long label": {
			`"actions":[{"label":"` + strings.Repeat("x", 21) + `","description":"d","identifier":"i"}]`, fakegithub.RuleRequest,
			"label",
		},
		"four actions": {
			`"actions":[` + strings.Repeat(
				`{"label":"l","description":"d","identifier":"i"},`, 3,
			) + `{"label":"l","description":"d","identifier":"i"}]`,
			fakegithub.RuleRequest, "actions",
		},
	} {
		t.Run(name, func(t *testing.T) {
			body := fmt.Sprintf(`{"name":"smoke","head_sha":%q,%s}`, sha, c.fields)
			if status, _ := send(
				t, l, token, http.MethodPost, "/repos/octo-lab/kernel/check-runs", body,
			); status != http.StatusUnprocessableEntity {
				t.Errorf("answered %d", status)
			}
			if broken := l.broken.take(t); broken.Rule != c.rule || !strings.Contains(broken.Reason, c.reason) {
				t.Errorf("recorded %v", broken)
			}
			if runs := l.repo.CheckRuns(); len(runs) != 0 {
				t.Errorf("it made %+v", runs)
			}
		})
	}
	t.Run("unknown SHA", func(t *testing.T) {
		unknown := strings.Repeat("5", 40)
		status, message := send(
			t, l, token, http.MethodPost, "/repos/octo-lab/kernel/check-runs", `{"name":"smoke","head_sha":"`+unknown+`"}`,
		)
		if status != http.StatusUnprocessableEntity || message != "No commit found for SHA: "+unknown {
			t.Errorf("answered %d, %q", status, message)
		}
		l.broken.take(t)
	})
	t.Run("another App's", func(t *testing.T) {
		foreign := l.repo.AddForeignCheckRun(99, "other", sha, "success")
		path := fmt.Sprintf("/repos/octo-lab/kernel/check-runs/%d", foreign.ID)
		if status, _ := send(
			t, l, token, http.MethodPatch, path, `{"conclusion":"failure"}`,
		); status != http.StatusForbidden {
			t.Errorf("answered %d", status)
		}
		l.broken.take(t)
	})
	t.Run("exact limits pass", func(t *testing.T) {
		fifty, err := json.Marshal(annotations(50))
		if err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(
			`{"name":"smoke","head_sha":%q,"output":{"title":"t","summary":%q,"annotations":%s}}`, sha,
			strings.Repeat("x", 65535), fifty,
		)
		if status, message := send(
			t, l, token, http.MethodPost, "/repos/octo-lab/kernel/check-runs", body,
		); status != http.StatusCreated {
			t.Errorf("answered %d, %s", status, message)
		}
	})
}

// jwt makes a JWT of any claims, so that also wrong ones can be sent.
func jwt(t *testing.T, key *rsa.PrivateKey, alg string, claims map[string]any) string {
	t.Helper()
	part := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	text := part(map[string]any{"alg": alg, "typ": "JWT"}) + "." + part(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestJWTRules(t *testing.T) {
	at := newClock()
	l := newStrictLab(t, fakegithub.Options{Now: at.Now})
	block, _ := pem.Decode(l.PrivateKey())
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := at.Now().Unix()
	good := func(change map[string]any) map[string]any {
		claims := map[string]any{"iss": fmt.Sprint(l.AppID()), "iat": now - 60, "exp": now + 540}
		maps.Copy(claims, change)
		return claims
	}
	for name, c := range map[string]struct {
		token  string
		status int
		reason string
	}{
		"none":            {"", 401, "not a JWT"},
		"no JWT":          {"ghs_x", 401, "not a JWT"},
		"another key":     {jwt(t, other, "RS256", good(nil)), 401, "signature"},
		"HS256":           {jwt(t, key, "HS256", good(nil)), 401, "RS256"},
		"none algorithm":  {jwt(t, key, "none", good(nil)), 401, "RS256"},
		"another App":     {jwt(t, key, "RS256", good(map[string]any{"iss": "1"})), 404, "iss"},
		"iat in future":   {jwt(t, key, "RS256", good(map[string]any{"iat": now + 30})), 401, "iat"},
		"no iat":          {jwt(t, key, "RS256", good(map[string]any{"iat": nil})), 401, "iat"},
		"expired":         {jwt(t, key, "RS256", good(map[string]any{"exp": now - 1})), 401, "exp"},
		"exp 11 min away": {jwt(t, key, "RS256", good(map[string]any{"exp": now + 660})), 401, "10 minutes"},
	} {
		t.Run(name, func(t *testing.T) {
			if status, message := send(t, l, c.token, http.MethodGet, "/app", ""); status != c.status || message == "" {
				t.Errorf("answered %d, %q", status, message)
			}
			if broken := l.broken.take(t); broken.Rule != fakegithub.RuleAuth || !strings.Contains(broken.Reason, c.reason) {
				t.Errorf("recorded %v", broken)
			}
		})
	}
	for name, iss := range map[string]any{"string": fmt.Sprint(l.AppID()), "number": l.AppID()} {
		if status, message := send(
			t, l, jwt(t, key, "RS256", good(map[string]any{"iss": iss})), http.MethodGet, "/app", "",
		); status != 200 {
			t.Errorf("iss as a %s: %d, %s", name, status, message)
		}
	}
}

func TestTokenRules(t *testing.T) {
	at := newClock()
	l := newStrictLab(t, fakegithub.Options{Now: at.Now})
	const content = "/repos/octo-lab/kernel/contents/README"
	refused := func(token, path string, want int, reason string) {
		t.Helper()
		if status, _ := send(t, l, token, http.MethodGet, path, ""); status != want {
			t.Errorf("%s: answered %d, want %d", reason, status, want)
		}
		if broken := l.broken.take(t); broken.Rule != fakegithub.RuleAuth || !strings.Contains(broken.Reason, reason) {
			t.Errorf("recorded %v, want %s", broken, reason)
		}
	}
	refused("", content, 401, "no token")
	refused("ghs_wrong", content, 401, "unknown")

	token := l.token(t)
	if status, _ := send(t, l, token, http.MethodGet, content, ""); status != 200 {
		t.Errorf("a fresh token: %d", status)
	}
	at.advance(59 * time.Minute)
	if status, _ := send(t, l, token, http.MethodGet, content, ""); status != 200 {
		t.Errorf("after 59 minutes: %d", status)
	}
	at.advance(time.Minute)
	refused(token, content, 401, "expired")

	// Another installation's repository does not exist for us.
	l.AddInstallation("acme", fakegithub.InstallationOptions{})
	if _, err := l.AddRepo("acme", "secret", folder(t)); err != nil {
		t.Fatal(err)
	}
	refused(l.freshToken(t, at), "/repos/acme/secret/contents/README", 404, "does not reach acme/secret")

	narrow := l.narrowToken(t, at, &github.InstallationTokenOptions{
		Permissions: &github.InstallationPermissions{Checks: new("write")},
	})
	refused(narrow, content, 403, "contents")

	if _, err := l.AddRepo("octo-lab", "other", folder(t)); err != nil {
		t.Fatal(err)
	}
	one := l.narrowToken(t, at, &github.InstallationTokenOptions{Repositories: []string{"other"}})
	refused(one, content, 404, "does not reach")

	revoked := l.freshToken(t, at)
	l.RemoveInstallation(l.inst.ID)
	refused(revoked, content, 401, "unknown or revoked")
}

// freshToken gets a token while the server's clock differs from the real one,
// which the client library's JWTs go by.
func (l *lab) freshToken(t *testing.T, at *clock) string { return l.narrowToken(t, at, nil) }

func (l *lab) narrowToken(t *testing.T, at *clock, o *github.InstallationTokenOptions) string {
	t.Helper()
	block, _ := pem.Decode(l.PrivateKey())
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	now := at.Now().Unix()
	app := clientOf(t, l.URL(), http.DefaultTransport).WithAuthToken(
		jwt(t, key, "RS256", map[string]any{"iss": l.AppID(), "iat": now - 30, "exp": now + 120}))
	app.BaseURL = l.app.BaseURL
	token, _, err := app.Apps.CreateInstallationToken(t.Context(), l.inst.ID, o)
	if err != nil {
		t.Fatal(err)
	}
	return token.GetToken()
}

func TestUnknownOperation(t *testing.T) {
	l := newStrictLab(t, fakegithub.Options{})
	for _, path := range []string{"/repos/octo-lab/kernel/nothing", "/graphql", "/"} {
		if status, _ := send(t, l, l.token(t), http.MethodGet, path, ""); status != 404 {
			t.Errorf("%s: answered %d", path, status)
		}
		if broken := l.broken.take(t); broken.Rule != fakegithub.RuleUnknown {
			t.Errorf("recorded %v", broken)
		}
	}
}

// TestViolationFailsTheTest shows that Start's default ends in the test's failure.
func TestViolationFailsTheTest(t *testing.T) {
	inner := &recorder{TB: t}
	s := fakegithub.Start(inner, fakegithub.Options{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/app", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if len(inner.errors()) != 1 {
		t.Errorf("the test heard %q", inner.errors())
	}
	if _, is := errors.AsType[*fakegithub.Violation](error(s.Violations()[0])); !is {
		t.Error("the violation is not kept")
	}
}

// recorder is a test that keeps its errors.
type recorder struct {
	testing.TB
	mu   sync.Mutex
	text []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text = append(r.text, fmt.Sprintf(format, args...))
}

func (r *recorder) errors() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text
}
