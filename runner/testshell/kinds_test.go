package testshell_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/runner/plan"
	"github.com/gantry-ci/gantry/runner/testshell"
)

// shell is a shell on a pair of pipes, as a console.
type shell struct {
	io.Reader
	io.WriteCloser
	cmd *exec.Cmd
}

func (s *shell) Close() error {
	err := s.WriteCloser.Close()
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // killed
	return err
}

// startShell starts a shell with the prompt "board# ". It echoes each command, as a terminal would.
func startShell(t *testing.T) *console.Session { return startDamagedShell(t, nil) }

// startDamagedShell does so on a console that changes what the shell prints; nil changes nothing.
func startDamagedShell(t *testing.T, damage func([]byte) []byte) *console.Session {
	t.Helper()
	cmd := exec.CommandContext(
		t.Context(), "sh", "-c",
		`printf 'board# '; while read -r l; do printf '%s\n' "$l"; eval "$l"; printf 'board# '; done 2>&1`,
	)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	record, err := os.Create(filepath.Join(t.TempDir(), "console.log"))
	if err != nil {
		t.Fatal(err)
	}
	var stream io.ReadWriteCloser = &shell{out, in, cmd}
	if damage != nil {
		stream = &damaged{stream, damage}
	}
	c, err := console.New(stream, record, console.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(c.Close(), record.Close()) })
	s, err := c.Session(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	prompt, err := console.Compile("board# ")
	if err == nil {
		_, err = s.Expect(t.Context(), prompt)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs test actions on a shell and returns the cases, as "suite/case=result".
func run(t *testing.T, actions string) (cases []string, err error) {
	t.Helper()
	p, err := makePlan(t, actions, startShell(t))
	if err != nil {
		return nil, err
	}
	jr, err := journal.Open(filepath.Join(t.TempDir(), "journal"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = jr.Close() }()
	err = p.Execute(t.Context(), &plan.Run{ID: "7", Journal: jr, Emit: func(e results.Event) {
		if c := e.Case; c != nil && (c.Suite != results.PipelineSuite || strings.Contains(c.Case, "_")) {
			cases = append(cases, c.Suite+"/"+c.Case+"="+c.Result)
		}
	}})
	return cases, err
}

func makePlan(t *testing.T, actions string, s *console.Session) (*plan.Plan, error) {
	t.Helper()
	src := "job_name: j\ndevice_type: d\nvisibility: public\n" +
		"timeouts: {job: {minutes: 1}, connections: {lava-test-interactive: {seconds: 4}}}\n" +
		"actions:\n- boot: {method: minimal}\n" + actions
	j, r := jobs.ParseJob([]byte(src), schema.Strict)
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	boot := plan.For(func(b *plan.Builder, _ *jobs.BootMinimal) {
		sh := plan.Provide(b, flow.Shell)
		b.Step("shell", results.ClassBug, func(context.Context, *plan.Run) error {
			sh.Begin(s)
			return nil
		})
	})
	return plan.Make(plan.Options{
		Job: j, Target: &dut.Target{Name: "board"}, Methods: append(testshell.Methods(0), boot), RunID: "7",
	})
}

func TestInteractive(t *testing.T) {
	cases, err := run(t, `
- test:
    interactive:
    - name: answers
      prompts: ['board# ']
      script:
      - {command: "echo a''1", name: success, successes: [{message: a1}]}
      - {command: "echo a''1", name: none, successes: [{message: never}]}
      - {command: "echo b''2", name: failure, failures: [{message: b2}]}
      - {command: "echo b''2", name: harmless, failures: [{message: never}]}
      - {command: "true", name: prompt}
      - {command: "true"}
      - {command: "sleep 0.2; echo la''te", wait_for_prompt: false}
      - {command: null, name: waited, successes: [{message: late}]}
      - {delay: 1}
      - {command: "echo sp''eed 15", name: group, successes: [{message: 'speed (?P<speed>\d+)'}]}
      - {command: "echo {JOB_ID}-{spe''ed}-{speed}", name: filled, successes: [{message: '7-.speed.-15'}]}
      - {command: "true", name: prompt-first, wait_for_prompt: false, failures: [{message: never}]}
    - name: echo
      prompts: ['board# ']
      echo: discard
      expected: [discarded, absent]
      script:
      - {command: "echo typed | tr y 1", name: discarded, failures: [{message: typed}]}
      - {command: "true", name: more}
`)
	if err != nil {
		t.Error(err)
	}
	if d := cmp.Diff([]string{
		"0_answers/success=pass", "0_answers/none=fail", "0_answers/failure=fail", "0_answers/harmless=pass",
		"0_answers/prompt=pass",
		"0_answers/waited=pass", "0_answers/group=pass", "0_answers/filled=pass", "0_answers/prompt-first=pass",
		"lava/0_answers=pass",
		"0_echo/discarded=pass", "0_echo/more=fail", "0_echo/absent=missing", "lava/0_echo=pass",
	}, cases); d != "" {
		t.Error(d)
	}
}

// TestInteractiveEnds has answers that end the job, a timeout, and a console that goes away.
func TestInteractiveEnds(t *testing.T) {
	for _, tt := range []struct {
		name, command string
		class         results.Class
		cases         []string
	}{
		{
			"exception",
			`{command: "echo di''e", name: it, failures: [{message: die, exception: InfrastructureError, error: it died}]}`,
			results.ClassInfrastructure,
			[]string{"0_s/it=fail", "lava/0_s=fail"},
		},
		{"no name", `{command: "echo di''e", failures: [{message: die}]}`, results.ClassTest, []string{"lava/0_s=fail"}},
		{
			"timeout", `{command: "sleep 100", name: it}`, results.ClassTimeout,
			[]string{"0_s/it=fail", "0_s/next=missing", "lava/0_s=fail"},
		},
		{
			"console", `{command: "exit", name: it}`, results.ClassInfrastructure,
			[]string{"0_s/it=missing", "0_s/next=missing", "lava/0_s=fail"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cases, err := run(t, "- test:\n    timeout: {seconds: 1}\n    interactive:\n"+
				"    - name: s\n      prompts: ['board# ']\n      script:\n      - "+
				tt.command+"\n      - {command: \"true\", name: next}\n")
			if results.ClassOf(err) != tt.class {
				t.Errorf("class %q, want %q: %v", results.ClassOf(err), tt.class, err)
			}
			if d := cmp.Diff(tt.cases, cases); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestMonitors(t *testing.T) {
	start := time.Now()
	cases, err := run(t, `
- test:
    interactive:
    - name: begin
      prompts: ['board# ']
      script:
      - command: >-
          (echo BEG''IN; echo one: OK; echo 'two: KO 3.5 ms'; echo 'three: ?'; echo EN''D;
          echo BEG''IN; echo four: OK; echo 'Fi-Ve 5: OK'; echo EN''D)
        wait_for_prompt: false
- test:
    monitors:
    - name: first
      start: BEGIN
      end: END
      pattern: '(?P<test_case_id>\w+): (?P<result>OK|KO|\?)( (?P<measurement>[\d.]+) (?P<units>\w+))?'
      fixupdict: {OK: pass, KO: fail}
      expected: [one, two, three, four]
    - name: Second
      start: BEGIN
      end: END
      pattern: '(?P<test_case_id>[-\w ]+): (?P<result>OK|KO)'
      fixupdict: {OK: pass, KO: fail}
`)
	if err != nil {
		t.Error(err)
	}
	if d := cmp.Diff([]string{
		"lava/0_begin=pass", "first/one=pass", "first/two=fail", "first/three=unknown", "first/four=missing",
		"second/four=pass", "second/fi_ve_5=pass",
	}, cases); d != "" {
		t.Error(d)
	}
	t.Log("took", time.Since(start))
}

// TestRefused holds that what cannot be waited for is refused when the plan is made, at its line.
func TestRefused(t *testing.T) {
	for _, tt := range []struct{ name, actions, want string }{
		{
			"look-ahead", "- test:\n    interactive:\n    - name: s\n      prompts: ['(?=x)y']\n      script: [{command: x}]\n",
			"line 9: ",
		},
		{
			"an answer",
			"- test:\n    interactive:\n    - name: s\n      prompts: [x]\n" +
				"      script:\n      - command: x\n        successes: [{message: '('}]\n",
			"line 12: ",
		},
		{
			"no name", "- test:\n    monitors:\n    - {name: m, start: a, end: b, pattern: '(?P<result>x)'}\n",
			`line 9: test monitors: m: pattern: no group (?P<test_case_id>…)`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := makePlan(t, tt.actions, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) || results.ClassOf(err) != results.ClassJob {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestConnectionTimeout has an answer take longer than the connection timeout, in a block with more time than that.
func TestConnectionTimeout(t *testing.T) {
	cases, err := run(t, `
- test:
    timeout: {seconds: 50}
    interactive:
    - name: s
      prompts: ['board# ']
      script:
      - {command: "true", name: quick}
      - {command: "sleep 100", name: slow}
      - {command: "true", name: next}
`)
	if results.ClassOf(err) != results.ClassTimeout ||
		!strings.Contains(
			fmt.Sprint(err),
			`wait for an answer to "sleep 100": nothing that is waited for came within the connection timeout of 4s`,
		) {
		t.Errorf("class %q: %v", results.ClassOf(err), err)
	}
	if d := cmp.Diff([]string{"0_s/quick=pass", "0_s/slow=fail", "0_s/next=missing", "lava/0_s=fail"}, cases); d != "" {
		t.Error(d)
	}
}
