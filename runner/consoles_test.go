package runner_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner"
	"github.com/gantry-ci/gantry/runner/dut"
)

const twoConsoles = `job_name: two consoles
device_type: board
visibility: public
timeouts: {job: {minutes: 2}, action: {minutes: 1}, connection: {seconds: 30}}
actions:
- boot: {namespace: linux, method: new_connection, connection: uart0, prompts: ['uart0# ']}
- boot: {namespace: mcu, method: new_connection, connection: uart1, prompts: ['uart1# ']}
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

// promptShell is a console with a shell behind it, which prints its name as a prompt and echoes what is typed.
type promptShell struct{ name string }

func (p promptShell) Open(context.Context) (io.ReadWriteCloser, error) {
	cmd := exec.Command(
		"sh", "-c", fmt.Sprintf(
			`printf '%[1]s# '; while read -r l; do printf '%%s\n' "$l"; eval "$l"; printf '%[1]s# '; done 2>&1`, p.name,
		),
	)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &piped{out, in, cmd}, cmd.Start()
}

// piped is a program as a stream.
type piped struct {
	io.Reader
	io.WriteCloser
	cmd *exec.Cmd
}

func (p *piped) Close() error {
	err := p.WriteCloser.Close()
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // killed
	return err
}

// runTwoConsoles runs the job on a board with two consoles.
func runTwoConsoles(t *testing.T) (dir string, res *results.Results) {
	t.Helper()
	j, r := jobs.ParseJob([]byte(twoConsoles), schema.Strict)
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	res, err := runner.Run(t.Context(), runner.Options{
		ID: "two-consoles", Attempt: 1, Job: j, Dir: dir, Logger: slog.New(slog.DiscardHandler),
		Target: &dut.Target{Name: "board", Consoles: dut.Consoles{
			{Name: "uart0", Console: promptShell{"uart0"}}, {Name: "uart1", Console: promptShell{"uart1"}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir, res
}

// TestTwoConsoles has two namespaces use a console each: each has a record of its own, and what is said of a line is
// said of the record that it is in.
func TestTwoConsoles(t *testing.T) {
	t.Parallel()
	dir, res := runTwoConsoles(t)
	if res.Verdict.Verdict != results.VerdictPass {
		t.Errorf("%s: %s", res.Verdict.Verdict, res.Message)
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
