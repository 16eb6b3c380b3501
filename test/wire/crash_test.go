package wire

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gantry-ci/gantry/app/queue"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/agent"
)

// The environment of a runner in its own process: where its app is, its folder, its token, and what its runs do.
const (
	envServer = "GANTRY_TEST_SERVER"
	envDir    = "GANTRY_TEST_DIR"
	envToken  = "GANTRY_TEST_TOKEN"
	envRuns   = "GANTRY_TEST_RUNS" // hang, pass
)

func TestMain(m *testing.M) {
	if os.Getenv(envServer) != "" {
		os.Exit(runnerProcess())
	}
	goleak.VerifyTestMain(m)
}

// runnerProcess is a runner that is made to be killed. It says on stdout what it begins and takes back.
func runnerProcess() int {
	a, err := agent.New(agent.Options{
		Server: os.Getenv(envServer), Name: "r", Token: os.Getenv(envToken), Dir: os.Getenv(envDir),
		Targets: func() []lab.Target { return []lab.Target{{Name: "x", Type: "qemu"}} },
		Rand:    func() float64 { return 0.1 },
		Execute: func(ctx context.Context, a agent.Assignment, dir string) (results.Results, error) {
			if os.Getenv(envRuns) == "pass" {
				time.Sleep(20 * time.Millisecond) // a guest's time; long enough to be killed in it
				res, err := passing(ctx, a, dir)
				fmt.Println("executed", a.Attempt)
				return res, err
			}
			rec, err := newRecord(a, dir)
			if err != nil {
				return results.Results{}, err
			}
			if err := os.WriteFile(filepath.Join(dir, "guest"), nil, 0o600); err != nil {
				return results.Results{}, err
			}
			fmt.Println("began", a.Attempt)
			<-ctx.Done()
			return rec.end(context.Cause(ctx))
		},
		Recover: func(_ context.Context, _ agent.Assignment, dir string) error {
			err := os.RemoveAll(filepath.Join(dir, "guest"))
			fmt.Println("took back", err)
			return err
		},
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err == nil {
		err = a.Run(context.Background())
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// process is a runner in its own process.
type process struct {
	cmd   *exec.Cmd
	lines chan string
}

func startProcess(t *testing.T, server, dir, token, runs string) *process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.CommandContext(t.Context(), exe), lines: make(chan string, 100)}
	p.cmd.Env = append(os.Environ(), envServer+"="+server, envDir+"="+dir, envToken+"="+token, envRuns+"="+runs)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.cmd.Stderr = io.Discard
	if testing.Verbose() {
		p.cmd.Stderr = t.Output()
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(p.kill)
	return p
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (p *process) expect(t *testing.T, want string) {
	t.Helper()
	if got := receive(t, p.lines, want); got != want {
		t.Fatalf("the runner says %q, want %q", got, want)
	}
}

// A runner that was killed and comes back takes back what its run left, says so, and has the second attempt at once,
// not after the 30 s in which its lease would be lost.
func TestRunnerKilled(t *testing.T) {
	l := newLab(t)
	token, err := l.store.NewEnrollment(t.Context(), "r", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	dir, url := t.TempDir(), "http://"+l.addr
	first := startProcess(t, url, dir, token, "hang")
	id := l.create(t)
	first.expect(t, "began 1")
	first.kill()
	back := time.Now()
	second := startProcess(t, url, dir, "", "pass")
	second.expect(t, "took back <nil>")
	second.expect(t, "executed 2")
	took := time.Since(back)
	run, attempts := l.wait(t, id, "completed", completed)
	if run.Verdict.Verdict != results.VerdictPass || len(attempts) != 2 {
		t.Fatalf("%+v, attempts %+v", run, attempts)
	}
	if a := attempts[0]; a.Class != results.ClassInfrastructure || !strings.Contains(a.Message, "restarted") {
		t.Errorf("first attempt: %+v", a)
	}
	if took > lab.LeaseTimeout*2/3 {
		t.Errorf("the second attempt came after %s", took)
	}
	t.Logf("second attempt executed %s after the restart", took)
}

// A runner that is killed between the end of the execution and the app's knowing of it goes on with the upload.
func TestRunnerKilledBeforeUpload(t *testing.T) {
	l := newLab(t)
	p := newProxy(t, l.addr)
	token, err := l.store.NewEnrollment(t.Context(), "r", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	first := startProcess(t, p.url(), dir, token, "hang")
	id := l.create(t)
	first.expect(t, "began 1")
	_, attempts := l.wait(t, id, "running", func(r store.Run, _ []store.Attempt) bool {
		return r.State == store.RunRunning
	})
	p.setCut(true)
	first.kill()
	// As if it had been executed.
	lease := filepath.Join(dir, "runs", attempts[0].LeaseID)
	if _, err := passing(
		t.Context(), agent.Assignment{Run: id, Attempt: 1, Target: "x", Name: "smoke"}, lease,
	); err != nil {
		t.Fatal(err)
	}
	outcome := fmt.Sprintf(
		`{"lease":%q,"verdict":"pass","class":"","message":"","complete":true,"sizes":{}}`, attempts[0].LeaseID,
	)
	if err := os.WriteFile(filepath.Join(lease, "outcome.json"), []byte(outcome), 0o600); err != nil {
		t.Fatal(err)
	}
	p.setCut(false)
	startProcess(t, p.url(), dir, "", "hang")
	run, attempts := l.wait(t, id, "completed", completed)
	if run.Verdict.Verdict != results.VerdictPass || len(attempts) != 1 {
		t.Errorf("%+v, attempts %+v", run, attempts)
	}
	if got := l.stream(t, id, 1, lab.Console); got != fmt.Sprintf("booting %s\r\n", id) {
		t.Errorf("console %q", got)
	}
}

// A runner is killed at any moment of a run, and comes back: the run is completed, with a pass, and in two attempts at
// most.
func TestRunnerKilledAnytime(t *testing.T) {
	l := newLab(t)
	token, err := l.store.NewEnrollment(t.Context(), "r", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	dir, url := t.TempDir(), "http://"+l.addr
	rnd := rand.New(rand.NewPCG(3, 4))
	var attempts [queue.MaxAttempts + 1]int
	for i := range 20 {
		p := startProcess(t, url, dir, token, "pass")
		id := l.create(t)
		l.wait(t, id, "begun", func(r store.Run, _ []store.Attempt) bool { return r.State != store.RunQueued })
		time.Sleep(time.Duration(rnd.IntN(60_000)) * time.Microsecond) // a run takes about 40 ms
		p.kill()
		p = startProcess(t, url, dir, "", "pass")
		run, as := l.wait(t, id, "completed", completed)
		if run.Verdict.Verdict != results.VerdictPass || len(as) > queue.MaxAttempts {
			t.Errorf("kill %d: %+v, attempts %+v", i, run, as)
		}
		res, lost, err := l.blobs.Results(id, len(as))
		if err != nil || lost != 0 || res.Count(results.Pass) != 2 {
			t.Errorf("kill %d: %d lost, %v, %+v", i, lost, err, res)
		}
		attempts[len(as)]++
		p.kill()
	}
	t.Logf("runs by attempts: %v", attempts)
}
