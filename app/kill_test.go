package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/gantry-ci/gantry/app"
	"github.com/gantry-ci/gantry/app/checks"
	"github.com/gantry-ci/gantry/test/fakegithub"
)

var kills = flag.Int("kills", 6, "how often to kill the app with SIGKILL")

// childOptions is the variable that makes this binary the app that is killed.
const childOptions = "GANTRY_TEST_APP"

func TestMain(m *testing.M) {
	if text := os.Getenv(childOptions); text != "" {
		if err := child(text); err != nil {
			fmt.Fprintln(os.Stderr, err) // who started it sees that it ended
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func child(text string) error {
	var o app.Options
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	reg := prometheus.NewRegistry()
	o.Registerer, o.Gatherer, o.Logger = reg, reg, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{
		Level: slog.LevelWarn,
	}))
	a, err := app.New(context.Background(), o)
	if err != nil {
		return err
	}
	if err := a.Start(context.Background()); err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, a.Addr())
	select {} // until it is killed
}

// victim is an app in its own process.
type victim struct {
	t    *testing.T
	gh   *fakegithub.Server
	opts app.Options
	cmd  *exec.Cmd
}

func (v *victim) start() {
	v.t.Helper()
	o := v.opts
	text, err := json.Marshal(map[string]any{
		"Listen": o.Listen, "URL": o.URL, "Database": o.Database, "Blobs": o.Blobs,
		"GitHubURL": o.GitHubURL, "AppID": o.AppID, "PrivateKey": o.PrivateKey, "WebhookSecrets": o.WebhookSecrets,
	})
	if err != nil {
		v.t.Fatal(err)
	}
	v.cmd = exec.CommandContext(v.t.Context(), os.Args[0])
	v.cmd.Env = append(os.Environ(), childOptions+"="+string(text))
	v.cmd.Stderr = v.t.Output()
	v.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		v.t.Fatal(err)
	}
	if err := v.cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	addr, _, err := bufio.NewReader(out).ReadLine()
	if err != nil {
		v.t.Fatalf("the app did not start: %v", err)
	}
	v.gh.SetWebhook("http://"+string(addr)+"/hook", secret)
}

func (v *victim) kill() {
	if err := v.cmd.Process.Kill(); err != nil {
		v.t.Error(err)
	}
	_ = v.cmd.Wait() // killed
}

// deliverAndKill delivers an event, kills the app at a moment of the next half second, and starts it again; a delivery
// that was not accepted is redelivered, as GitHub's people would.
func (v *victim) deliverAndKill(e fakegithub.Event) (after time.Duration, accepted bool) {
	v.t.Helper()
	after = rand.N(500 * time.Millisecond)
	done := make(chan fakegithub.Delivery)
	go func() {
		d, _ := v.gh.Deliver(v.t.Context(), e.Name, e.Payload, fakegithub.DeliveryOptions{}) // it says how it ended
		done <- d
	}()
	time.Sleep(after) // the moment is the test
	v.kill()
	d := <-done
	v.start()
	if d.Status != http.StatusAccepted {
		d2, err := v.gh.Deliver(v.t.Context(), e.Name, e.Payload, fakegithub.DeliveryOptions{GUID: d.GUID, Redelivery: true})
		if err != nil || d2.Status != http.StatusAccepted {
			v.t.Fatalf("redelivery: %d, %v", d2.Status, err)
		}
	}
	return after, d.Status == http.StatusAccepted
}

// However the app is killed, each pull request gets exactly one check, and it is concluded.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts an app a kill")
	}
	t.Parallel()
	gh := fakegithub.Start(t, fakegithub.Options{WebhookSecret: secret})
	gh.AddInstallation("octo-lab", fakegithub.InstallationOptions{Organization: true})
	repo, err := gh.AddRepo("octo-lab", "kernel", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	// GitHub answers slowly, so that some kills hit requests whose answers the app then never gets.
	for _, method := range []string{http.MethodPost, http.MethodPatch} {
		slow := fakegithub.Slow(150*time.Millisecond).On(method, "/repos/octo-lab/kernel/check-runs")
		slow.Times = 1 << 20
		gh.Inject(slow)
	}
	dir := t.TempDir()
	v := &victim{t: t, gh: gh, opts: app.Options{
		Listen: "127.0.0.1:0", URL: "https://lab.example.org", Database: filepath.Join(dir, "gantry.db"),
		Blobs:     filepath.Join(dir, "blobs"),
		GitHubURL: gh.URL(), AppID: gh.AppID(), PrivateKey: gh.PrivateKey(), WebhookSecrets: []string{secret},
	}}
	v.start()
	defer func() {
		v.kill()
		http.DefaultClient.CloseIdleConnections()
	}()
	l := &testLab{t: t, gh: gh, repo: repo}
	var p fakegithub.Pull
	for i := range *kills {
		action, want := "opened", "queued"
		if i%2 == 0 {
			branch := fmt.Sprintf("topic-%d", i)
			files := smokeFiles()
			files["README"] = branch
			l.commit(branch, files)
			if p, err = repo.OpenPull(fakegithub.PullOptions{Head: branch}); err != nil {
				t.Fatal(err)
			}
		} else {
			if err := repo.ClosePull(p.Number, false); err != nil {
				t.Fatal(err)
			}
			action, want = "closed", checks.Canceled
		}
		e, err := repo.PullRequestEvent(action, p.Number)
		if err != nil {
			t.Fatal(err)
		}
		after, accepted := v.deliverAndKill(e)
		restarted := time.Now()
		l.until(func() string {
			var of []fakegithub.CheckRun
			for _, c := range repo.CheckRuns() {
				if c.HeadSHA == p.Head {
					of = append(of, c)
				}
			}
			if len(of) > 1 {
				t.Fatalf("%s, killed after %s: %d check runs", action, after, len(of))
			}
			if len(of) == 0 || of[0].Status != want && of[0].Conclusion != want {
				return fmt.Sprintf("%s, killed after %s: %+v", action, after, of)
			}
			return ""
		})
		t.Logf("%-6s killed after %3d ms, accepted before %-5t check is %-9s %4d ms after the restart",
			action, after.Milliseconds(), accepted, want, time.Since(restarted).Milliseconds())
	}
}
