package app_test

import (
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/gantry-ci/gantry/app"
	"github.com/gantry-ci/gantry/test/fakegithub"
)

// With a token, pages and metrics require it. GitHub and runners have credentials of their own.
func TestPagesToken(t *testing.T) {
	t.Parallel()
	const token = "a token that is long enough"
	l := newLab(t, func(o *app.Options, _ *fakegithub.Options) { o.PagesToken = token })
	basic := func(password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte("any:"+password))
	}
	get := func(path, authorization string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.url(path), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", authorization)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	_, d := l.open(smokeFiles()) // the webhook wants no token
	l.ended(d.GUID)
	id := l.runs()[0].ID
	for _, path := range []string{"/", "/runs", "/runs/" + id, "/metrics", "/style.css", "/runs/none/console", "/RUNS"} {
		for _, bad := range []string{"", "Bearer", "Bearer ", "Bearer " + token + "x", basic(""), basic(
			token[1:],
		), "Basic " + token, token} {
			if code := get(path, bad); code != http.StatusUnauthorized {
				t.Errorf("%s with %q: %d", path, bad, code)
			}
		}
	}
	for _, path := range []string{"/runs", "/runs/" + id, "/metrics"} {
		for _, good := range []string{"Bearer " + token, basic(token)} {
			if code := get(path, good); code != http.StatusOK {
				t.Errorf("%s with %q: %d", path, good, code)
			}
		}
	}
	if code := get("/healthz", ""); code != http.StatusOK {
		t.Errorf("/healthz: %d", code)
	}
}
