package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/test/board"
)

// boardJob boots a board by its power, and has one command executed in its shell.
func boardJob(command string) []byte {
	return fmt.Appendf(nil, `job_name: board
device_type: board
visibility: public
timeouts: {job: {minutes: 10}, action: {minutes: 5}, connection: {minutes: 5}}
actions:
- boot: {method: minimal, auto_login: {login_prompt: 'login:', username: root}, prompts: ['uart0# ']}
- test:
    interactive:
    - name: typed
      prompts: ['uart0# ']
      script: [{command: %q, name: answer, successes: [{message: a1}]}]
`, command)
}

// bench is a lab with two boards in a folder: their device files, their outlets, and the configuration.
type bench struct{ dir string }

func (b bench) outlet(name string) string { return filepath.Join(b.dir, name) }

func (b bench) isOn(name string) bool {
	_, err := os.Stat(b.outlet(name))
	return err == nil
}

// write writes the configuration, with boards on outlets by their names.
func (b bench) write(t *testing.T, boards map[string]string) {
	t.Helper()
	config := "server: h2c://localhost:1\nname: bench\ndir: " + b.dir + "\ndevices: ['*-device.yaml']\n"
	old, err := filepath.Glob(filepath.Join(b.dir, "*-device.yaml"))
	for _, file := range old {
		err = errors.Join(err, os.Remove(file))
	}
	for name, outlet := range boards {
		file := filepath.Join(b.dir, name+"-device.yaml")
		err = errors.Join(err, os.WriteFile(file, []byte(board.Device(name, b.outlet(outlet))), 0o600))
	}
	if err = errors.Join(err, os.WriteFile(b.file(), []byte(config), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func (b bench) file() string { return filepath.Join(b.dir, "runner.yaml") }

// executor is of a runner that starts now.
func (b bench) executor(t *testing.T) *Executor {
	t.Helper()
	c, err := ReadConfig(b.file(), readDevice, board.Makers())
	if err != nil {
		t.Fatal(err)
	}
	x := NewExecutor(c, slog.New(slog.DiscardHandler))
	x.Makers = board.Makers()
	return x
}

func readDevice(file string) (*jobs.Device, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	d, report := jobs.ParseDevice(src)
	return d, report.Err()
}

// two is a bench whose second board is on.
func two(t *testing.T) bench {
	t.Helper()
	b := bench{t.TempDir()}
	b.write(t, map[string]string{"board-1": "outlet-1", "board-2": "outlet-2"})
	if err := os.WriteFile(b.outlet("outlet-2"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBoard executes a job on a board: it is given power for the job, and has none afterwards.
func TestBoard(t *testing.T) {
	b, dir := two(t), t.TempDir()
	res, err := b.executor(t).Execute(t.Context(), lab.Assignment{
		Run: "r1", Lease: "lease-1", Attempt: 1, Target: "board-1", Job: boardJob(`[ -e "$1" ] && echo a''1`),
	}, dir)
	if err != nil || res.Verdict.Verdict != results.VerdictPass {
		t.Errorf("%+v, %v", res.Verdict, err)
	}
	if b.isOn("outlet-1") || !b.isOn("outlet-2") {
		t.Errorf("on: %t, and the other board: %t", b.isOn("outlet-1"), b.isOn("outlet-2"))
	}
	src, err := os.ReadFile(filepath.Join(dir, "journal"))
	if err != nil || !strings.Contains(string(src), `"kind":"scratch-outlet","arg":"`+b.outlet("outlet-1")+`"`) {
		t.Errorf("the journal is %s, %v", src, err)
	}
}

// crashAt is set where this test's program is the runner that will crash: the folder of its bench.
const crashAt = "GANTRY_TEST_CRASH_AT"

// TestRecoverBoard kills a runner while the board that it has given power runs a test. The next one takes that power
// back, and no other, whatever the device file says meanwhile.
func TestRecoverBoard(t *testing.T) {
	if dir := os.Getenv(crashAt); dir != "" {
		b := bench{dir}
		_, err := b.executor(t).Execute(t.Context(), lab.Assignment{
			Run: "r1", Lease: "lease-1", Attempt: 1, Target: "board-1",
			Job: boardJob("echo up >" + filepath.Join(dir, "reached") + "; read -r forever"),
		}, filepath.Join(dir, "run"))
		t.Fatalf("the run has ended: %v", err)
	}
	for name, boards := range map[string]map[string]string{
		"the same": {"board-1": "outlet-1", "board-2": "outlet-2"},
		"rewired":  {"board-1": "outlet-2", "board-2": "outlet-1"},
		"gone":     {"board-2": "outlet-2"},
	} {
		t.Run(name, func(t *testing.T) {
			b := two(t)
			crash(t, b)
			if !b.isOn("outlet-1") {
				t.Fatal("the board was not on when its runner crashed")
			}
			b.write(t, boards)
			a := lab.Assignment{Run: "r1", Lease: "lease-1", Target: "board-1"}
			if err := b.executor(t).Recover(t.Context(), a, filepath.Join(b.dir, "run")); err != nil {
				t.Fatal(err)
			}
			if b.isOn("outlet-1") || !b.isOn("outlet-2") {
				t.Errorf("on: %t, and the other board: %t", b.isOn("outlet-1"), b.isOn("outlet-2"))
			}
		})
	}
}

// crash executes a job on the first board in another process, and kills it once the job's command is executed.
func crash(t *testing.T, b bench) {
	t.Helper()
	reached := filepath.Join(b.dir, "reached")
	if err := errors.Join(os.Mkdir(filepath.Join(b.dir, "run"), 0o700), syscall.Mkfifo(reached, 0o600)); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(reached, os.O_RDWR|syscall.O_NONBLOCK, 0) // nobody waits to open it
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // ends what hangs
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestRecoverBoard$")
	cmd.Env = append(os.Environ(), crashAt+"="+b.dir)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Minute
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // killed
		_ = f.SetReadDeadline(time.Unix(1, 0))
	}()
	_, err = f.Read(make([]byte, 1))
	_ = cmd.Process.Kill()
	<-ended
	if err != nil {
		t.Fatalf("the job's command was not executed: %v\n%s", err, &out)
	}
}

// A board is switched off before each boot, so that the second is a boot, too; a boot that is tried again is cut and
// opened anew. The console's record has all of them.
func TestBoardBootsAgain(t *testing.T) {
	b, dir := two(t), t.TempDir()
	job := strings.Replace(string(boardJob(`echo a''1`)), "actions:\n", `actions:
- boot:
    method: minimal
    failure_retry: 2
    auto_login:
      login_prompt: 'login:'
      username: root
      login_commands: ['[ -e "$1.tried" ] || { touch "$1.tried"; exit; }']
    prompts: ['uart0# ']
`, 1)
	res, err := b.executor(t).Execute(t.Context(), lab.Assignment{
		Run: "r1", Lease: "lease-1", Attempt: 1, Target: "board-1", Job: []byte(job),
	}, dir)
	if err != nil || res.Verdict.Verdict != results.VerdictPass {
		t.Errorf("%+v, %v", res.Verdict, err)
	}
	log, err := os.ReadFile(filepath.Join(dir, "console.log"))
	if n := strings.Count(string(log), "booting\n"); n != 3 || err != nil || b.isOn("outlet-1") {
		t.Errorf("%d boots: %v; on: %t\n%s", n, err, b.isOn("outlet-1"), log)
	}
}
