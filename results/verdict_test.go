package results_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gantry-ci/gantry/results"
)

func result(suite, name, res string, notes ...string) results.Case {
	return results.Case{Suite: suite, Case: name, Result: res, Note: strings.Join(notes, ", ")}
}

// fell is a finding.
func fell(kind, title, section string, fatal bool) results.Finding {
	return results.Finding{Kind: kind, Title: title, Section: section, Fatal: fatal, Line: 7}
}

func TestDecide(t *testing.T) {
	pass, fail := result("0_smoke", "uname", results.Pass), result("0_smoke", "frob", results.Fail)
	missing := result("0_smoke", "late", results.Missing)
	cut := result("lava", "0_smoke", results.Missing)
	oops := fell("oops", "BUG: unable to handle kernel NULL pointer dereference in frob_read", "test", false)
	boot := fell("oops", "general protection fault in frob_init", "boot", false)
	overcome := boot
	overcome.Superseded = true
	step := func(class results.Class, text string) error {
		return &results.StepError{Level: "3.1", Name: "lava-test-shell", Err: results.Failf(class, "%s", text)}
	}
	lost := &results.MissingError{What: "the manifest never came"}
	unknown := &results.StepError{
		Level: "3.1", Name: "lava-test-shell", Err: results.Blame(results.ClassInfrastructure, lost),
	}
	for name, c := range map[string]struct {
		err      error
		cases    []results.Case
		findings []results.Finding
		want     string // verdict, class, exit, complete, message
		evidence string // the first's kind and name
	}{
		"all passed":        {nil, []results.Case{pass}, nil, "pass  0 true ", "count 1 passed"},
		"nothing to report": {nil, nil, nil, "pass  0 true ", "count 0 passed"},
		"a case failed": {
			nil, []results.Case{pass, fail}, nil, "fail test 1 true 0_smoke/frob failed", "case 0_smoke/frob",
		},
		"two failed": {
			nil, []results.Case{fail, fail}, nil, "fail test 1 true 0_smoke/frob failed, and 1 more", "case 0_smoke/frob",
		},
		"skipped and unknown": {
			nil,
			[]results.Case{result("0_smoke", "a", results.Skip), result("0_smoke", "b", results.Unknown)},
			nil,
			"pass  0 true ", "count 0 passed",
		},
		"a known failure": {
			nil,
			[]results.Case{pass, result("0_smoke", "frob", results.Fail, "unsequenced", results.NoteKnown)},
			nil,
			"pass  0 true ", "count 1 passed, 1 known to fail",
		},
		"an unexpected pass": {
			nil,
			[]results.Case{result("0_smoke", "frob", results.Pass, results.NoteUnexpectedPass)},
			nil,
			"fail test 1 true 0_smoke/frob passed, though it is a known failure", "case 0_smoke/frob",
		},
		"a flaky one": {
			nil,
			[]results.Case{result("0_smoke", "frob", results.Pass, results.NoteFlaky)},
			nil, "pass  0 true ",
			"count 1 passed, 1 flaky",
		},
		"results missing": {
			nil,
			[]results.Case{pass, missing},
			nil, "incomplete infrastructure 3 false 0_smoke/late is missing",
			"case 0_smoke/late",
		},
		"a definition cut off": {
			nil,
			[]results.Case{pass, cut},
			nil, "incomplete infrastructure 3 false lava/0_smoke is missing",
			"case lava/0_smoke",
		},
		"failed and missing": {
			nil, []results.Case{fail, missing}, nil, "incomplete test 1 false 0_smoke/frob failed", "case 0_smoke/frob",
		},
		"the manifest lost": {
			unknown,
			[]results.Case{pass},
			nil, "incomplete infrastructure 3 false 3.1 lava-test-shell: the manifest never came",
			"step 3.1 lava-test-shell",
		},
		"lost, and failed": {
			unknown, []results.Case{fail}, nil, "incomplete test 1 false 0_smoke/frob failed", "step 3.1 lava-test-shell",
		},
		"lost after an oops": {
			unknown,
			[]results.Case{pass},
			[]results.Finding{oops},
			"incomplete test 1 false BUG: unable to handle kernel NULL pointer dereference in frob_read (console.log:7); " +
				"then 3.1 lava-test-shell: the manifest never came",
			"finding BUG: unable to handle kernel NULL pointer dereference in frob_read",
		},
		"a panic": {
			step(results.ClassTest, "kernel panic: sysrq triggered crash (console.log:7)"),
			[]results.Case{pass},
			[]results.Finding{fell("panic", "kernel panic: sysrq triggered crash", "test", true)},
			"fail test 1 true 3.1 lava-test-shell: kernel panic: sysrq triggered crash (console.log:7)",
			"finding kernel panic: sysrq triggered crash",
		},
		"a panic while booting": {
			step(results.ClassJob, "kernel panic: VFS (console.log:7)"), nil,
			[]results.Finding{boot, fell("panic", "kernel panic: VFS", "boot", true)},
			"fail job 5 false 3.1 lava-test-shell: kernel panic: VFS (console.log:7)", "finding kernel panic: VFS",
		},
		"a panic, cut off": {
			step(results.ClassTest, "kernel panic"),
			[]results.Case{cut},
			nil,
			"incomplete test 1 false 3.1 lava-test-shell: kernel panic", "step 3.1 lava-test-shell",
		},
		"cut off by a panic": {
			&results.MissingError{What: "the manifest never came", Cause: step(results.ClassTest, "kernel panic")}, nil, nil,
			"incomplete test 1 false 3.1 lava-test-shell: kernel panic (the manifest never came)", "step 3.1 lava-test-shell",
		},
		"an oops, all passed": {
			nil,
			[]results.Case{pass},
			[]results.Finding{oops},
			"fail test 1 true BUG: unable to handle kernel NULL pointer dereference in frob_read (console.log:7)",
			"finding BUG: unable to handle kernel NULL pointer dereference in frob_read",
		},
		"an oops while booting": {
			nil,
			[]results.Case{pass},
			[]results.Finding{boot},
			"fail job 5 false general protection fault in frob_init (console.log:7)",
			"finding general protection fault in frob_init",
		},
		"an oops is no flake": {
			nil,
			[]results.Case{result("0_smoke", "frob", results.Fail, results.NoteKnown)},
			[]results.Finding{oops},
			"fail test 1 true BUG: unable to handle kernel NULL pointer dereference in frob_read (console.log:7)",
			"finding BUG: unable to handle kernel NULL pointer dereference in frob_read",
		},
		"an allowed oops": {
			nil,
			[]results.Case{pass},
			[]results.Finding{{Kind: "oops", Title: "x", Section: "test", Allowed: "#42"}},
			"pass  0 true ", "count 1 passed",
		},
		"a warning": {
			nil,
			[]results.Case{pass},
			[]results.Finding{fell("warning", "WARNING in frob", "test", false)},
			"pass  0 true ",
			"count 1 passed",
		},
		"false panic": {
			nil, nil,
			[]results.Finding{
				{Kind: "panic", Title: "kernel panic: IO-APIC", Section: "boot", Fatal: true, Emulation: true, Line: 7},
			},
			"incomplete infrastructure 3 false kernel panic: IO-APIC (console.log:7)", "finding kernel panic: IO-APIC",
		},
		"false alarm, then real": {
			nil,
			[]results.Case{pass},
			[]results.Finding{
				{Kind: "soft-lockup", Title: "BUG: soft lockup", Section: "boot", Emulation: true, Line: 3},
				fell("kasan", "KASAN: use-after-free in frob", "test", false),
			},
			"fail test 1 true KASAN: use-after-free in frob (console.log:7)", "finding KASAN: use-after-free in frob",
		},
		"a boot overcome": {nil, []results.Case{pass}, []results.Finding{overcome}, "pass  0 true ", "count 1 passed"},
		"overcome, out of time": {
			step(results.ClassTimeout, "timed out after 10s"),
			[]results.Case{pass, cut},
			[]results.Finding{overcome},
			"incomplete timeout 4 false 3.1 lava-test-shell: timed out after 10s", "step 3.1 lava-test-shell",
		},
		"out of time": {
			step(results.ClassTimeout, "timed out after 10s"),
			[]results.Case{pass, cut},
			[]results.Finding{fell("hung-task", "INFO: task hung in frob", "test", false)},
			"incomplete timeout 4 false 3.1 lava-test-shell: timed out after 10s", "step 3.1 lava-test-shell",
		},
		"out of time, oopsed": {
			step(results.ClassTimeout, "timed out after 10s"),
			[]results.Case{pass, cut},
			[]results.Finding{oops},
			"incomplete test 1 false BUG: unable to handle kernel NULL pointer dereference in frob_read (console.log:7); " +
				"then 3.1 lava-test-shell: timed out after 10s",
			"finding BUG: unable to handle kernel NULL pointer dereference in frob_read",
		},
		"the lab": {
			step(results.ClassInfrastructure, "serial gone"),
			[]results.Case{fail},
			nil,
			"incomplete infrastructure 3 false 3.1 lava-test-shell: serial gone", "step 3.1 lava-test-shell",
		},
		"the job": {
			step(results.ClassJob, "no such image"), nil, nil, "fail job 5 false 3.1 lava-test-shell: no such image",
			"step 3.1 lava-test-shell",
		},
		"canceled": {
			step(results.ClassCanceled, "superseded"),
			[]results.Case{fail},
			[]results.Finding{oops},
			"canceled canceled 4 false 3.1 lava-test-shell: superseded", "step 3.1 lava-test-shell",
		},
		"gantry": {errors.New("nobody's fault"), nil, nil, "incomplete bug 6 false nobody's fault", "step job"},
	} {
		t.Run(name, func(t *testing.T) {
			v := results.Decide(c.err, c.cases, c.findings...)
			got := fmt.Sprintf("%s %s %d %t %s", v.Verdict, v.Class, v.ExitCode(), v.Complete, v.Message)
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if len(v.Evidence) == 0 {
				t.Fatal("no evidence")
			}
			for i, e := range v.Evidence {
				for _, f := range v.Evidence[:i] {
					if e.Message != "" && strings.Contains(e.Message, f.Name) || e.Name == f.Name && e.Kind == "finding" {
						t.Errorf("twice: %+v and %+v", f, e)
					}
				}
			}
			if got := v.Evidence[0].Kind + " " + v.Evidence[0].Name; got != c.evidence {
				t.Errorf("evidence %s, want %s", got, c.evidence)
			}
		})
	}
}

// TestDecideHolds has random outcomes keep the rules of the table.
func TestDecideHolds(t *testing.T) {
	classes := []results.Class{
		"", results.ClassTest, results.ClassJob, results.ClassInfrastructure, results.ClassTimeout, results.ClassCanceled,
		results.ClassBug,
	}
	verdicts := map[results.Class][]string{
		"": {results.VerdictPass}, results.ClassTest: {results.VerdictFail, results.VerdictIncomplete},
		results.ClassJob:            {results.VerdictFail},
		results.ClassInfrastructure: {results.VerdictIncomplete}, results.ClassTimeout: {results.VerdictIncomplete},
		results.ClassCanceled: {results.VerdictCanceled}, results.ClassBug: {results.VerdictIncomplete},
	}
	exits := map[results.Class]int{
		"": 0, results.ClassTest: 1, results.ClassInfrastructure: 3, results.ClassTimeout: 4, results.ClassCanceled: 4,
		results.ClassJob: 5, results.ClassBug: 6,
	}
	aCase := rapid.Custom(func(t *rapid.T) results.Case {
		return result(rapid.SampledFrom([]string{"lava", "0_smoke", "1_ltp"}).Draw(t, "suite"), "c",
			rapid.SampledFrom([]string{
				results.Pass, results.Fail, results.Skip, results.Unknown, results.Missing,
			}).Draw(t, "result"),
			rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
				results.NoteKnown, results.NoteFlaky, results.NoteUnexpectedPass, "unsequenced",
			}), 0, 2, rapid.ID).Draw(t, "notes")...)
	})
	aFinding := rapid.Custom(func(t *rapid.T) results.Finding {
		f := fell(rapid.SampledFrom([]string{
			"panic", "oops", "warning", "hung-task", "soft-lockup", "denied",
		}).Draw(t, "kind"), "x",
			rapid.SampledFrom([]string{"deploy", "boot", "test", ""}).Draw(t, "section"), rapid.Bool().Draw(t, "fatal"))
		f.Emulation = rapid.Bool().Draw(t, "emulation")
		f.Superseded = rapid.Bool().Draw(t, "superseded")
		return f
	})
	rapid.Check(t, func(t *rapid.T) {
		cases := rapid.SliceOfN(aCase, 0, 5).Draw(t, "cases")
		findings := rapid.SliceOfN(aFinding, 0, 2).Draw(t, "findings")
		var err error
		if c := rapid.SampledFrom(classes).Draw(t, "class"); c != "" {
			err = results.Failf(c, "ended by %s", c)
		}
		lost := rapid.Bool().Draw(t, "lost")
		if lost {
			err = &results.MissingError{What: "lost", Cause: err}
		}
		v := results.Decide(err, cases, findings...)
		missing, bad := lost, err != nil
		for _, c := range cases {
			missing = missing || c.Result == results.Missing
			bad = bad || c.Result == results.Missing || c.Suite != results.PipelineSuite && c.Fails()
		}
		for _, f := range findings {
			bad = bad || !f.Superseded && (f.Kind != "warning" && f.Kind != "hung-task" || f.Fatal)
		}
		switch {
		case (v.Verdict == results.VerdictPass) == bad:
			t.Fatalf("bad is %t: %+v", bad, v)
		case missing && (v.Complete || v.Verdict == results.VerdictPass):
			t.Fatalf("results are missing: %+v", v)
		case missing && v.Class == results.ClassTest && (v.Verdict != results.VerdictIncomplete || v.ExitCode() != 1):
			t.Fatalf("class test with results missing: %+v", v)
		case v.ExitCode() != exits[v.Class]:
			t.Fatalf("exit %d: %+v", v.ExitCode(), v)
		case !strings.Contains(strings.Join(verdicts[v.Class], " "), v.Verdict):
			t.Fatalf("verdict and class do not belong together: %+v", v)
		case v.Verdict == results.VerdictIncomplete && v.Class != results.ClassTest && v.Complete:
			t.Fatalf("incomplete and complete: %+v", v)
		case (v.Class == "") != (v.Message == "") || len(v.Evidence) == 0 || len(v.Evidence) > results.MaxEvidence:
			t.Fatalf("no reason: %+v", v)
		}
		if c := results.ClassOf(err); (c == results.ClassCanceled || c == results.ClassBug && !lost ||
			c == results.ClassJob) && v.Class != c {
			t.Fatalf("class %s became %+v", c, v)
		}
	})
}

// TestFoldOfTries runs definitions again.
func TestFoldOfTries(t *testing.T) {
	a, b := "a", "b"
	for name, c := range map[string]struct {
		cases []results.Case
		want  []string // name, result, notes
	}{
		"fail, pass": {
			[]results.Case{result("0_s", "x", results.Fail), {Suite: "0_s", Case: "x", Result: results.Pass, Try: 2}},
			[]string{"0_s/x pass flaky"},
		},
		"pass, fail": {
			[]results.Case{result("0_s", "x", results.Pass), {Suite: "0_s", Case: "x", Result: results.Fail, Try: 2}},
			[]string{"0_s/x pass flaky"},
		},
		"fail, fail": {
			[]results.Case{result("0_s", "x", results.Fail), {Suite: "0_s", Case: "x", Result: results.Fail, Try: 2}},
			[]string{"0_s/x fail "},
		},
		"fail, fail, pass": {
			[]results.Case{
				result("0_s", "x", results.Fail),
				{Suite: "0_s", Case: "x", Result: results.Fail, Try: 2},
				{Suite: "0_s", Case: "x", Result: results.Pass, Try: 3},
			},
			[]string{"0_s/x pass flaky"},
		},
		"fail, pass, fail": {
			[]results.Case{
				result("0_s", "x", results.Fail),
				{Suite: "0_s", Case: "x", Result: results.Pass, Try: 2},
				{Suite: "0_s", Case: "x", Result: results.Fail, Try: 3},
			},
			[]string{"0_s/x pass flaky"},
		},
		"fail, skip": {
			[]results.Case{result("0_s", "x", results.Fail), {Suite: "0_s", Case: "x", Result: results.Skip, Try: 2}},
			[]string{"0_s/x fail "},
		},
		"fail, missing": {
			[]results.Case{result("0_s", "x", results.Fail), {Suite: "0_s", Case: "x", Result: results.Missing, Try: 2}},
			[]string{"0_s/x fail "},
		},
		"known, then pass": {
			[]results.Case{
				result("0_s", "x", results.Fail, results.NoteKnown),
				{Suite: "0_s", Case: "x", Result: results.Pass, Note: results.NoteUnexpectedPass, Try: 2},
			},
			[]string{"0_s/x pass flaky"},
		},
		"twice in a run": {
			[]results.Case{
				result("0_s", "x", results.Pass), result("0_s", "x", results.Fail),
				{Suite: "0_s", Case: "x", Result: results.Pass, Try: 2},
				{Suite: "0_s", Case: "x", Result: results.Pass, Try: 2},
			},
			[]string{"0_s/x pass ", "0_s/x pass flaky"},
		},
		"sets apart": {
			[]results.Case{
				{Suite: "0_s", Set: &a, Case: "x", Result: results.Fail},
				{Suite: "0_s", Set: &b, Case: "x", Result: results.Pass, Try: 2},
			},
			[]string{"0_s/a/x fail ", "0_s/b/x pass "},
		},
		"new in the second": {
			[]results.Case{result("0_s", "x", results.Fail), {Suite: "0_s", Case: "y", Result: results.Fail, Try: 2}},
			[]string{"0_s/x fail ", "0_s/y fail "},
		},
		"a definition is the last": {
			[]results.Case{result("lava", "0_s", results.Pass), {Suite: "lava", Case: "0_s", Result: results.Missing, Try: 2}},
			[]string{"lava/0_s missing "},
		},
		"the same again, no retry": {
			[]results.Case{result("0_s", "x", results.Fail), result("0_s", "x", results.Pass)},
			[]string{"0_s/x fail ", "0_s/x pass "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := results.NewResults()
			for _, x := range c.cases {
				r.Apply(results.Event{Case: &x})
			}
			var got []string
			for _, x := range r.Cases {
				got = append(got, x.Name()+" "+x.Result+" "+x.Note)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestFoldOfRetriedSteps has a boot panic, and the next one succeed: what an attempt that was overcome said is told,
// and decides nothing.
func TestFoldOfRetriedSteps(t *testing.T) {
	begin := func(level string, try int) results.Event {
		return results.Event{Level: level, Step: &results.Step{Name: "x", Try: try}}
	}
	end := func(level string, try int, class results.Class) results.Event {
		return results.Event{Level: level, Step: &results.Step{Name: "x", Try: try, End: true, Class: class}}
	}
	found := func(kind, section string) results.Event {
		f := fell(kind, kind, section, kind == "panic")
		return results.Event{Finding: &f}
	}
	for name, c := range map[string]struct {
		events []results.Event
		want   string // findings that count
	}{
		"overcome": {
			[]results.Event{
				begin("1", 1), found("oops", "boot"), end("1", 1, ""), begin("2", 1), begin("2.1", 1), found("panic", "boot"),
				end("2.1", 1, results.ClassJob), end("2", 1, results.ClassJob), begin("2", 2), begin("2.1", 1),
			},
			"oops",
		},
		"in the last one": {
			[]results.Event{
				begin("2", 1), found("panic", "boot"), end("2", 1, results.ClassJob), begin("2", 2), found("kasan", "boot"),
				end("2", 2, ""),
			},
			"kasan",
		},
		"twice": {
			[]results.Event{
				begin("2", 1), found("panic", "boot"), end("2", 1, results.ClassJob), begin("2", 2), found("panic", "boot"),
				end("2", 2, results.ClassJob), begin("2", 3),
			},
			"",
		},
		"in a step of a try": {
			[]results.Event{
				begin("2", 1), begin("2.1", 1), found("panic", "boot"), end("2.1", 1, results.ClassJob), begin("2.1", 2),
				found("bug", "boot"), end("2.1", 2, ""),
			},
			"bug",
		},
		"during a test": {
			[]results.Event{begin("3", 1), found("oops", "test"), end("3", 1, results.ClassTest), begin("3", 2)}, "oops",
		},
		"no first try": {[]results.Event{found("oops", "boot"), begin("3", 2)}, "oops"},
	} {
		t.Run(name, func(t *testing.T) {
			r := results.NewResults()
			for _, e := range c.events {
				r.Apply(e)
			}
			var got []string
			for _, f := range r.Findings {
				if !f.Superseded {
					got = append(got, f.Kind)
				}
			}
			if got := strings.Join(got, " "); got != c.want {
				t.Errorf("%q count, want %q", got, c.want)
			}
		})
	}
}

// TestRetriedAction counts what tests reported in an action's last try. The actions' own cases stay, as LAVA has it.
func TestRetriedAction(t *testing.T) {
	step := func(level string, try int) results.Event {
		return results.Event{Level: level, Step: &results.Step{Name: "n", Try: try}}
	}
	reported := func(c results.Case) results.Event { return results.Event{Case: &c} }
	own := func(level, name, res string) results.Event {
		return results.Event{Level: level, Case: &results.Case{Suite: results.PipelineSuite, Case: name, Result: res}}
	}
	r := results.NewResults()
	for _, e := range []results.Event{
		step("3", 1), step("3.1", 1), reported(result("0_s", "before", results.Fail)), own("3.1", "shell", results.Pass),
		own("3", "retry", results.Pass),
		step("4", 1), step("4.1", 1), reported(result("1_s", "x", results.Fail)),
		reported(result("1_s", "only-first", results.Missing)),
		reported(result("lava", "1_s", results.Missing)), own("4.1", "shell", results.Fail), own("4", "retry", results.Fail),
		step("4", 2), step("4.1", 1), reported(result("1_s", "x", results.Pass)),
		reported(result("lava", "1_s", results.Pass)),
		own("4.1", "shell", results.Pass), own("4", "retry", results.Pass),
	} {
		r.Apply(e)
	}
	var got []string
	for _, c := range r.Cases {
		got = append(got, c.Name()+" "+c.Result)
	}
	want := []string{
		"0_s/before fail", "lava/shell pass", "lava/retry pass", "lava/shell fail", "lava/retry fail",
		"1_s/x pass", "lava/1_s pass", "lava/shell pass", "lava/retry pass",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
