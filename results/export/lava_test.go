package export_test

import (
	"bytes"
	"fmt"
	"maps"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/export"
)

func events() []results.Event {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_901_000, time.UTC)
	return []results.Event{
		{Seq: 1, Time: at, Start: &results.Start{Job: "j"}},
		{
			Seq: 2, Time: at, Level: "1.1",
			Case: &results.Case{Suite: "lava", Case: "http-download", Result: results.Pass, DurationS: new(0.256)},
		},
		{
			Seq: 3, Time: at,
			Case: &results.Case{
				Suite: "0_s", Set: new("set"), Case: "m", Result: results.Pass, Measurement: new(42.5), Units: new("ms"),
				LogLine: new(7),
			},
		},
		{
			Seq: 4, Time: at,
			Case: &results.Case{Suite: "0_s", Case: "no: - {x}\n\x1b", Result: results.Missing, Message: "it is expected"},
		},
		{Seq: 5, Time: at, Case: &results.Case{Suite: "lava", Case: "job", Result: results.Fail}},
		{
			Seq: 6, Time: at,
			Verdict: &results.Verdict{
				Verdict: results.VerdictIncomplete, Class: results.ClassInfrastructure, Message: "the console is gone",
			},
		},
	}
}

func list(t *testing.T, events []results.Event) []byte {
	t.Helper()
	x := export.NewLAVA("7")
	for _, e := range events {
		x.Apply(e)
	}
	var b bytes.Buffer
	if err := x.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestLAVA(t *testing.T) {
	var got []map[string]any
	if err := yaml.Unmarshal(list(t, events()), &got); err != nil {
		t.Fatal(err)
	}
	const logged = "2026-01-02T03:04:05.678901+00:00"
	entry := func(id, suite, name, result string, more map[string]any) map[string]any {
		e := map[string]any{
			"id": id, "job": "7", "suite": suite, "name": name, "result": result, "measurement": "None", "unit": "", "level": "",
			"logged": logged, "log_start_line": "", "log_end_line": "",
		}
		maps.Copy(e, more)
		return e
	}
	want := []map[string]any{
		entry("1", "lava", "http-download", "pass", map[string]any{
			"level": "1.1",
			"metadata": map[string]any{
				"case": "http-download", "definition": "lava", "result": "pass", "duration": "0.26", "level": "1.1",
			},
		}),
		entry("2", "0_s", "m", "pass", map[string]any{
			"measurement": "42.5000000000", "unit": "ms", "log_start_line": "7", "log_end_line": "7",
			"metadata": map[string]any{
				"case": "m", "definition": "0_s", "result": "pass", "set": "set", "measurement": 42.5, "units": "ms",
			},
		}),
		entry("3", "0_s", "no: - {x}\n\x1b", "fail", map[string]any{
			"metadata": map[string]any{
				"case": "no: - {x}\n\x1b", "definition": "0_s", "result": "fail", "missing": true, "error_msg": "it is expected",
			},
		}),
		entry("4", "lava", "job", "fail", map[string]any{
			"metadata": map[string]any{
				"case": "job", "definition": "lava", "result": "fail", "error_type": "Infrastructure",
				"error_msg": "the console is gone",
			},
		}),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestLAVAEmpty is a run whose plan was refused, and no run at all.
func TestLAVAEmpty(t *testing.T) {
	if got := string(list(t, nil)); got != "[]\n" {
		t.Errorf("got %q", got)
	}
	all := events()
	var got []map[string]any
	if err := yaml.Unmarshal(list(t, all[len(all)-1:]), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0]["name"] != "job" || got[0]["result"] != "fail" {
		t.Errorf("got %v", got)
	}
}

// TestLAVATries has a definition run again: a dashboard takes the last entry of a name for the result.
func TestLAVATries(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	one := func(name, result, note string, try int) results.Event {
		return results.Event{Time: at, Case: &results.Case{Suite: "0_s", Case: name, Result: result, Note: note, Try: try}}
	}
	var got []map[string]any
	b := list(t, []results.Event{
		one("a", results.Pass, "", 0), one("b", results.Fail, "", 0), one("c", results.Fail, results.NoteKnown, 0),
		one("a", results.Fail, "", 2), one("b", results.Pass, "", 2), one("c", results.Fail, results.NoteKnown, 2),
	})
	if err := yaml.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	var short []string
	for _, e := range got {
		note, _ := e["metadata"].(map[string]any)["note"].(string)
		short = append(short, strings.TrimSpace(fmt.Sprint(e["id"], " ", e["name"], " ", e["result"], " ", note)))
	}
	if d := cmp.Diff([]string{"1 a pass flaky", "2 b pass flaky", "3 c fail known failure"}, short); d != "" {
		t.Error(d)
	}
}

// TestLAVACut has the app settle on another verdict than the record's, which came only in part.
func TestLAVACut(t *testing.T) {
	x := export.NewLAVA("7")
	x.Apply(results.Event{Case: &results.Case{Suite: results.PipelineSuite, Case: "job", Result: results.Pass}})
	for _, v := range []results.Verdict{
		{Verdict: results.VerdictPass},
		{Verdict: results.VerdictIncomplete, Class: results.ClassInfrastructure, Message: "9 of 10 bytes arrived"},
	} {
		x.Apply(results.Event{Verdict: &v})
	}
	var b bytes.Buffer
	if err := x.Write(&b); err != nil || !strings.Contains(b.String(), "error_msg: 9 of 10 bytes arrived") ||
		strings.Contains(b.String(), "result: pass") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// TestPyYAML has the reader of SQUAD and KCIDB read the file.
func TestPyYAML(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", `
import sys
try:
    import yaml
except ImportError:
    sys.exit(77)
r = yaml.safe_load(sys.stdin)
print([(c["suite"], c["name"], c["result"], c["measurement"], type(c["logged"]).__name__) for c in r])`)
	cmd.Stdin = bytes.NewReader(list(t, events()))
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() == 77 {
		t.Skip("no PyYAML here:", err)
	}
	const want = `[('lava', 'http-download', 'pass', 'None', 'str'), ('0_s', 'm', 'pass', '42.5000000000', 'str'), ` +
		`('0_s', 'no: - {x}\n\x1b', 'fail', 'None', 'str'), ('lava', 'job', 'fail', 'None', 'str')]` + "\n"
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out, want)
	}
}
