package runner_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/test/board"
)

const twoConsoles = `job_name: two consoles
device_type: board
visibility: public
timeouts: {job: {minutes: 2}, action: {minutes: 1}, connection: {seconds: 30}}
actions:
- boot: {namespace: linux, method: minimal, auto_login: {login_prompt: 'login:', username: root}, prompts: ['uart0# ']}
- boot:
    namespace: mcu
    method: new_connection
    connection: uart1
    auto_login: {login_prompt: 'login:', username: root}
    prompts: ['uart1# ']
- test:
    namespace: linux
    interactive:
    - name: host
      prompts: ['uart0# ']
      script:
      - {command: "seq 5", name: counts}
      - {command: "echo lin''ux", name: says, successes: [{message: linux}]}
- test:
    namespace: mcu
    interactive:
    - name: mcu
      prompts: ['uart1# ']
      script:
      - {command: "echo m''cu", name: says, successes: [{message: mcu}]}
      - {command: "echo '[    3.141593] WARN''ING: CPU: 0 PID: 1 at drivers/mcu.c:7 probe_mcu+0x17/0x20'", name: warns}
- test:
    namespace: tests
    connection-namespace: linux
    interactive:
    - name: again
      prompts: ['uart0# ']
      script:
      - {command: "echo st''ill", name: says, successes: [{message: still}]}
`

// boardOn is a board with two consoles, on an outlet.
func boardOn(t *testing.T, outlet string) *dut.Target {
	t.Helper()
	d, r := jobs.ParseDevice([]byte(board.Device("board", outlet)))
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	target, err := dut.New(d, dut.Options{ID: "board", Makers: board.Makers()})
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// runTwoConsoles runs the job on a board with two consoles.
func runTwoConsoles(t *testing.T, src string, on bool) (dir string, res *results.Results) {
	t.Helper()
	j, r := jobs.ParseJob([]byte(src), schema.Strict)
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	outlet := filepath.Join(t.TempDir(), "outlet")
	target := boardOn(t, outlet)
	if on {
		if err := target.Power.On(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	dir = t.TempDir()
	res, err := runner.Run(t.Context(), runner.Options{
		ID: "two-consoles", Attempt: 1, Job: j, Dir: dir, Logger: slog.New(slog.DiscardHandler), Target: target,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(outlet); (err == nil) != on {
		t.Errorf("the board was on before: %t; after the run: %v", on, err)
	}
	return dir, res
}

// TestTwoConsoles has two namespaces use a console each: each has a record of its own, and what is said of a line is
// said of the record that it is in. The first namespace boots the board, or finds it on: then it stays on.
func TestTwoConsoles(t *testing.T) {
	t.Parallel()
	for method, on := range map[string]bool{"minimal": false, "new_connection, connection: uart0": true} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			dir, res := runTwoConsoles(t, strings.Replace(twoConsoles, "method: minimal", "method: "+method, 1), on)
			checkTwoConsoles(t, dir, res)
		})
	}
}

func checkTwoConsoles(t *testing.T, dir string, res *results.Results) {
	t.Helper()
	if res.Verdict.Verdict != results.VerdictPass {
		t.Fatalf("%s: %s", res.Verdict.Verdict, res.Message)
	}
	lines := map[string][]string{}
	for log, other := range map[string]string{"console.log": "uart1", "console-uart1.log": "uart0"} {
		b, err := os.ReadFile(filepath.Join(dir, log))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(other)) {
			t.Errorf("%s has what %s said:\n%s", log, other, b)
		}
		lines[log] = strings.Split(string(b), "\n")
		checkMarks(t, filepath.Join(dir, strings.TrimSuffix(log, ".log")+".times"), int64(len(b)))
	}
	said := map[string]string{"0_host/says": "linux", "0_mcu/says": "mcu", "0_again/says": "still"}
	for _, c := range res.Cases {
		want, ok := said[c.Name()]
		if !ok {
			continue
		}
		delete(said, c.Name())
		if got := lines[c.LogName()][*c.LogLine-1]; got != want {
			t.Errorf("%s is in line %d of %s, which is %q", c.Name(), *c.LogLine, c.LogName(), got)
		}
	}
	if len(said) > 0 {
		t.Errorf("no such cases: %v in %+v", said, res.Cases)
	}
	if len(res.Findings) != 1 {
		t.Fatalf("findings: %+v", res.Findings)
	}
	f := res.Findings[0]
	got := lines[f.LogName()][f.Line-1]
	if f.File != "console-uart1.log" || !strings.HasSuffix(got, "probe_mcu+0x17/0x20") {
		t.Errorf("the finding %s is in the line %q", f, got)
	}
	junit, err := os.ReadFile(filepath.Join(dir, runner.JUnitFile))
	if err != nil || !bytes.Contains(junit, []byte(`file="console-uart1.log"`)) {
		t.Errorf("the JUnit file says of no line that it is the second console's: %v\n%s", err, junit)
	}
}

// checkMarks reads the file that says when a console's bytes came: its marks ascend and are of the log.
func checkMarks(t *testing.T, path string, size int64) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil || len(b) == 0 {
		t.Fatalf("no times: %v", err)
	}
	for last := int64(-1); len(b) >= results.ArrivalSize; b = b[results.ArrivalSize:] {
		a, err := results.ParseArrival(string(b[:results.ArrivalSize]))
		if err != nil || a.Offset <= last || a.Offset >= size {
			t.Fatalf("%s: %+v after %d of %d: %v", path, a, last, size, err)
		}
		last = a.Offset
	}
}
