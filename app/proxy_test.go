package app_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/app"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/jobs/rpc"
	"github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
	"github.com/gantry-ci/gantry/test/fakegithub"
)

// bearer adds a runner's credential to requests.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// The manual's proxy passes on GitHub and runners, requires the token for pages, and hides the rest.
func TestManualProxy(t *testing.T) {
	t.Parallel()
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is not installed")
	}
	l := newLab(t, func(o *app.Options, _ *fakegithub.Options) { o.PagesToken = "a token that is long enough" })
	proxy := startNginx(t, nginx, l.app.Addr())
	l.gh.SetWebhook(proxy+"/hook", secret)
	_, d := l.open(smokeFiles())
	l.ended(d.GUID)
	got := map[string]int{}
	for _, path := range []string{
		"/runs", "/checks/x", "/runs/x/console", "/metrics", "/healthz", "/", "/hook/", "/gantry.v1.RunnerServiceX/",
		"/%72uns", "/hook/../metrics",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, proxy+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		got[path] = resp.StatusCode
	}
	if diff := cmp.Diff(map[string]int{
		"/runs": 401, "/checks/x": 401, "/runs/x/console": 401, "/metrics": 404, "/healthz": 404, "/": 404, "/hook/": 404,
		"/gantry.v1.RunnerServiceX/": 404, "/%72uns": 401, "/hook/../metrics": 404,
	}, got); diff != "" {
		t.Error(diff)
	}
	watch(t, l, proxy)
}

// watch enrolls a runner through the proxy, and checks that its lease arrives at once.
func watch(t *testing.T, l *testLab, proxy string) {
	t.Helper()
	token, err := l.app.Store().NewEnrollment(t.Context(), "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	res, err := gantryv1.NewRunnerServiceClient(http.DefaultClient, proxy).Enroll(t.Context(), &gantryv1.EnrollRequest{
		Token: token, Name: "bench", SecretHash: store.HashSecret("x"),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client := gantryv1.NewRunnerServiceClient(&http.Client{Transport: bearer(res.GetRunner() + ".x")}, proxy)
	s, err := client.Watch(ctx, rpc.PutAnnouncement(lab.Announcement{
		Version: "test", Targets: []lab.Target{{Name: "qemu-1", Type: "qemu"}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	for s.Receive() {
		if _, ok := rpc.GetMessage(s.Msg()).(lab.Assignment); ok {
			return // the context's end closes the stream
		}
	}
	t.Errorf("no assignment: %v", s.Err())
}

// startNginx runs the manual's configuration, without TLS, before the app at addr.
func startNginx(t *testing.T, nginx, addr string) (url string) {
	t.Helper()
	manual, err := os.ReadFile("../docs/app.md")
	if err != nil {
		t.Fatal(err)
	}
	_, server, _ := strings.Cut(string(manual), "```nginx\n")
	server, _, found := strings.Cut(server, "```")
	if !found {
		t.Fatal("the manual has no configuration of nginx")
	}
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	server = regexp.MustCompile(`(?m)^ *ssl_.*\n`).ReplaceAllString(server, "")
	server = strings.NewReplacer("443 ssl", listen, "127.0.0.1:8080", addr).Replace(server)
	dir := t.TempDir()
	conf := "daemon off; master_process off; error_log stderr; pid " + dir + "/pid;\nevents {}\nhttp {\naccess_log off;\n"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		conf += kind + "_temp_path " + dir + "/" + kind + ";\n"
	}
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf+server+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), nginx, "-p", dir, "-e", "stderr", "-c", path)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // killed when the test's context ends
	deadline := time.Now().Add(patience)
	for {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listen)
		if err == nil {
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
			return "http://" + listen
		}
		if time.Now().After(deadline) {
			t.Fatalf("nginx does not listen: %v", err)
		}
		time.Sleep(10 * time.Millisecond) // it says nothing when it is ready
	}
}
