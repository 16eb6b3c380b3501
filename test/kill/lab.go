package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/test/guest"
	"github.com/gantry-ci/gantry/test/scene"
)

// Limits of the experiment.
const (
	upTimeout   = 60 * time.Second // of a process to start, on a busy machine
	runTimeout  = 4 * time.Minute  // of a run with a second attempt
	pollEvery   = 100 * time.Millisecond
	dyingBreath = 2 * time.Second // of a QEMU whose runner was killed; Pdeathsig takes milliseconds
)

// lab is app and runner as processes of their own, with GitHub in this one.
type lab struct {
	dir, bin, addr string
	*scene.Scene
	app, runner *process
}

// process is one of the two daemons.
type process struct {
	args []string
	log  *os.File
	cmd  *exec.Cmd
}

func (p *process) start(ctx context.Context) error {
	p.cmd = exec.CommandContext(ctx, p.args[0], p.args[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return p.cmd.Start()
}

// kill is kill -9.
func (p *process) kill() {
	if p.cmd != nil && p.cmd.Process != nil {
		_, _ = p.cmd.Process.Kill(), p.cmd.Wait()
	}
}

func newLab(ctx context.Context, keep string) (l *lab, err error) {
	l = &lab{dir: keep}
	if l.dir == "" {
		if l.dir, err = os.MkdirTemp("", "gantry-kill-*"); err != nil {
			return nil, err
		}
	} else if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return nil, err
	}
	l.bin = filepath.Join(l.dir, "gantry")
	build := exec.CommandContext(ctx, "go", "build", "-o", l.bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w: %s", err, out)
	}
	if l.Scene, err = scene.Open(ctx, l.dir, "test/demo/repos/pass"); err != nil {
		return nil, err
	}
	if err := l.configure(ctx); err != nil {
		return nil, errors.Join(err, l.Hub.Close())
	}
	if err := l.app.start(ctx); err != nil {
		return nil, err
	}
	if err := l.up(ctx); err != nil {
		return nil, err
	}
	return l, l.runner.start(ctx)
}

// configure writes what the daemons read, and enrolls the runner.
func (l *lab) configure(ctx context.Context) error {
	images, err := guest.Dir()
	if err == nil {
		_, err = guest.Make(ctx, images)
	}
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	l.addr = listener.Addr().String()
	if err := listener.Close(); err != nil {
		return err
	}
	const secret = "only for this experiment"
	l.Hub.SetWebhook("http://"+l.addr+"/hook", secret)
	files := map[string]string{
		"key.pem": string(l.Hub.PrivateKey()), "secret": secret,
		"app.yaml": fmt.Sprintf("listen: %s\nurl: http://%s\ngithub: {app-id: %d, url: %q, private-key-file: key.pem, "+
			"webhook-secret-file: secret}\n",
			l.addr, l.addr, l.Hub.AppID(), l.Hub.URL()),
		"runner.yaml": fmt.Sprintf("server: http://%s\nname: lab-1\ntoken_file: token\ndir: %s\ndevices: [qemu.yaml]\n"+
			"file_roots: [%s]\n",
			l.addr, filepath.Join(l.dir, "runner"), images),
		"qemu.yaml": "name: guest-1\ntype: qemu\nboot: {qemu: {command: qemu-system-x86_64, options: [-nographic, -m " +
			"512]}}\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	enroll := exec.CommandContext(ctx, l.bin, "app", "--config", filepath.Join(l.dir, "app.yaml"), "--enroll", "lab-1")
	token, err := enroll.Output()
	if err != nil {
		return fmt.Errorf("enroll: %w", err)
	}
	if err := os.WriteFile(filepath.Join(l.dir, "token"), token, 0o600); err != nil {
		return err
	}
	if l.app, err = l.daemon("app"); err != nil {
		return err
	}
	l.runner, err = l.daemon("runner")
	return err
}

func (l *lab) daemon(name string) (*process, error) {
	log, err := os.OpenFile(filepath.Join(l.dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return &process{
		args: []string{l.bin, name, "--verbose", "--config", filepath.Join(l.dir, name+".yaml")}, log: log,
	}, err
}

func (l *lab) close() {
	l.runner.kill()
	l.app.kill()
	_ = l.Hub.Close()
	if strings.HasPrefix(filepath.Base(l.dir), "gantry-kill-") {
		_ = os.RemoveAll(l.dir)
	}
}

// up waits until the app answers.
func (l *lab) up(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, upTimeout, errors.New("the app does not answer"))
	defer cancel()
	return poll(ctx, func() (bool, error) {
		_, err := get(ctx, "http://"+l.addr+"/healthz")
		return err == nil, nil
	})
}

// poll asks until the answer is yes.
func poll(ctx context.Context, ask func() (bool, error)) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if ok, err := ask(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// round is one pull request, with one kill.
func (l *lab) round(ctx context.Context, victim string, after time.Duration) (r result, err error) {
	r.after = after
	ctx, cancel := context.WithTimeoutCause(ctx, runTimeout, fmt.Errorf("no completed check after %s", runTimeout))
	defer cancel()
	pull, err := l.Pull(fmt.Sprint(time.Now().UnixNano()))
	if err != nil {
		return r, err
	}
	start := time.Now()
	d, err := l.Opened(ctx, pull)
	if err != nil || d.Status != http.StatusAccepted {
		return r, fmt.Errorf("the webhook is answered %d: %w", d.Status, err)
	}
	timer := time.NewTimer(time.Until(start.Add(after)))
	select {
	case <-timer.C:
	case <-ctx.Done():
		return r, context.Cause(ctx)
	}
	if err := l.strike(ctx, victim, &r); err != nil {
		return r, err
	}
	var last scene.CheckRun
	err = poll(ctx, func() (bool, error) {
		runs, err := l.Checks(ctx, pull.Head)
		if len(runs) > 0 {
			last = runs[0]
		}
		r.checks = len(runs)
		return len(runs) > 0 && last.Status == "completed", err
	})
	r.took, r.status, r.conclusion = time.Since(start), last.Status, last.Conclusion
	if err != nil {
		r.status = last.Status + " (" + err.Error() + ")"
		return r, nil
	}
	return r, l.results(ctx, last, &r)
}

// strike kills one of the two, and starts it again.
func (l *lab) strike(ctx context.Context, victim string, r *result) error {
	if victim == "app" {
		l.app.kill()
		if err := l.app.start(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		return l.up(ctx)
	}
	l.runner.kill()
	breath, cancel := context.WithTimeout(ctx, dyingBreath)
	defer cancel()
	_ = poll(breath, func() (bool, error) {
		var err error
		r.left, err = l.guests(ctx)
		return r.left == 0, err
	})
	return l.runner.start(context.WithoutCancel(ctx))
}

// guests counts this lab's QEMUs: each carries the lease that its folder is named after.
func (l *lab) guests(ctx context.Context) (n int, err error) {
	leases, err := os.ReadDir(filepath.Join(l.dir, "runner", "runs"))
	if err != nil {
		return 0, err
	}
	for _, lease := range leases {
		if exec.CommandContext(ctx, "pgrep", "-f", "qemu-system.*gantry-"+lease.Name()).Run() == nil {
			n++
		}
	}
	return n, nil
}

// results reads what the page of the check says of the attempts.
func (l *lab) results(ctx context.Context, c scene.CheckRun, r *result) error {
	page, err := get(ctx, c.DetailsURL)
	if err != nil {
		return err
	}
	b, err := get(ctx, page.url+"/results.json")
	if err != nil {
		return err
	}
	var res results.Results
	if err := json.Unmarshal(b.body, &res); err != nil {
		return err
	}
	r.attempts, r.verdict = res.Attempt, res.Verdict.Verdict
	return nil
}

// answer is what a page led to.
type answer struct {
	url  string
	body []byte
}

func get(ctx context.Context, url string) (a answer, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return a, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode != http.StatusOK {
		return a, fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	a.url = resp.Request.URL.String()
	a.body, err = io.ReadAll(resp.Body)
	return a, err
}
