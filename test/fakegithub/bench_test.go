package fakegithub_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/test/fakegithub"
)

// BenchmarkStart is what a server costs a test, the first one's description aside.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s, err := fakegithub.New(b.Context(), fakegithub.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUpdateCheckRun is one request with all its checks, over HTTP.
func BenchmarkUpdateCheckRun(b *testing.B) {
	l := newLab(b, fakegithub.Options{HourlyBudget: 1 << 30})
	token, _, err := l.app.Apps.CreateInstallationToken(b.Context(), l.inst.ID, nil)
	if err != nil {
		b.Fatal(err)
	}
	run := l.repo.AddForeignCheckRun(l.AppID(), "smoke", l.repo.Head(""), "success")
	body := `{"status":"in_progress","output":{"title":"t","summary":"` + strings.Repeat("x", 10000) + `"}}`
	for b.Loop() {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPatch,
			fmt.Sprintf("%s/repos/octo-lab/kernel/check-runs/%d", l.URL(), run.ID), strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token.GetToken())
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			b.Fatal(resp.Status)
		}
	}
}
