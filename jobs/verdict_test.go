package jobs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gantry-ci/gantry/jobs"
)

func result(suite, name, res string, notes ...string) jobs.Case {
	return jobs.Case{Suite: suite, Case: name, Result: res, Note: strings.Join(notes, ", ")}
}

// fell is a finding.
func fell(kind, title, section string, fatal bool) jobs.Finding {
	return jobs.Finding{Kind: kind, Title: title, Section: section, Fatal: fatal, Line: 7}
}

func TestDecide(t *testing.T) {
	pass, fail := result("0_smoke", "uname", jobs.Pass), result("0_smoke", "frob", jobs.Fail)
	missing := result("0_smoke", "late", jobs.Missing)
	cut := result("lava", "0_smoke", jobs.Missing)
	oops := fell("oops", "BUG: unable to handle kernel NULL pointer dereference in frob_read", "test", false)
	boot := fell("oops", "general protection fault in frob_init", "boot", false)
	overcome := boot
	overcome.Superseded = true
	step := func(class jobs.Class, text string) error {
		return &jobs.StepError{Level: "3.1", Name: "lava-test-shell", Err: jobs.Failf(class, "%s", text)}
	}
	lost := &jobs.MissingError{What: "the manifest never came"}
	unknown := &jobs.StepError{Level: "3.1", Name: "lava-test-shell", Err: jobs.Blame(jobs.ClassInfrastructure, lost)}
	for name, c := range map[string]struct {
		err      error
		cases    []jobs.Case
		findings []jobs.Finding
		want     string // verdict, class, exit, complete, message
		evidence string // the first's kind and name
	}{
		"all passed":             {nil, []jobs.Case{pass}, nil, "pass  0 true ", "count 1 passed"},
		"nothing to report":      {nil, nil, nil, "pass  0 true ", "count 0 passed"},
		"a case failed":          {nil, []jobs.Case{pass, fail}, nil, "fail test 1 true 0_smoke/frob failed", "case 0_smoke/frob"},
		"two failed":             {nil, []jobs.Case{fail, fail}, nil, "fail test 1 true 0_smoke/frob failed, and 1 more", "case 0_smoke/frob"},
		"skipped and unknown":    {nil, []jobs.Case{result("0_smoke", "a", jobs.Skip), result("0_smoke", "b", jobs.Unknown)}, nil, "pass  0 true ", "count 0 passed"},
		"a known failure":        {nil, []jobs.Case{pass, result("0_smoke", "frob", jobs.Fail, "unsequenced", jobs.NoteKnown)}, nil, "pass  0 true ", "count 1 passed, 1 known to fail"},
		"an unexpected pass":     {nil, []jobs.Case{result("0_smoke", "frob", jobs.Pass, jobs.NoteUnexpectedPass)}, nil, "fail test 1 true 0_smoke/frob passed, though it is a known failure", "case 0_smoke/frob"},
		"a flaky one":            {nil, []jobs.Case{result("0_smoke", "frob", jobs.Pass, jobs.NoteFlaky)}, nil, "pass  0 true ", "count 1 passed, 1 flaky"},
		"results missing":        {nil, []jobs.Case{pass, missing}, nil, "incomplete infrastructure 3 false 0_smoke/late is missing", "case 0_smoke/late"},
		"a definition cut off":   {nil, []jobs.Case{pass, cut}, nil, "incomplete infrastructure 3 false lava/0_smoke is missing", "case lava/0_smoke"},
		"failed and missing":     {nil, []jobs.Case{fail, missing}, nil, "incomplete test 1 false 0_smoke/frob failed", "case 0_smoke/frob"},
		"the manifest lost":      {unknown, []jobs.Case{pass}, nil, "incomplete infrastructure 3 false 3.1 lava-test-shell: the manifest never came", "step 3.1 lava-test-shell"},
		"lost, and failed":       {unknown, []jobs.Case{fail}, nil, "incomplete test 1 false 0_smoke/frob failed", "step 3.1 lava-test-shell"},
		"lost after an oops":     {unknown, []jobs.Case{pass}, []jobs.Finding{oops}, "incomplete test 1 false BUG: unable to handle kernel NULL pointer dereference in frob_read (console.log:7); then 3.1 lava-test-shell: the manifest never came", "finding BUG: unable to handle kernel NULL pointer dereference in frob_read"},
		"a panic":                {step(jobs.ClassTest, "kernel panic: sysrq triggered crash (console.log:7)"), []jobs.Case{pass}, []jobs.Finding{fell("panic", "kernel panic: sysrq triggered crash", "test", true)}, "fail test 1 true 3.1 lava-test-shell: kernel panic: sysrq triggered crash (console.log:7)", "finding kernel panic: sysrq triggered crash"},
		"a panic while booting":  {step(jobs.ClassJob, "kernel panic: VFS (console.log:7)"), nil, []jobs.Finding{boot, fell("panic", "kernel panic: VFS", "boot", true)}, "fail job 5 false 3.1 lava-test-shell: kernel panic: VFS (console.log:7)", "finding kernel panic: VFS"},
		"a panic, cut off":       {step(jobs.ClassTest, "kernel panic"), []jobs.Case{cut}, nil, "incomplete test 1 false 3.1 lava-test-shell: kernel panic", "step 3.1 lava-test-shell"},
		"cut off by a panic":     {&jobs.MissingError{What: "the manifest never came", Cause: step(jobs.ClassTest, "kernel panic")}, nil, nil, "incomplete test 1 false 3.1 lava-test-shell: kernel panic (the manifest never came)", "step 3.1 lava-test-shell"},
		"an oops, all passed":    {nil, []jobs.Case{pass}, []jobs.Finding{oops}, "fail test 1 true BUG: unable to handle kernel NULL pointer dereference in frob_read (console.log:7)", "finding BUG: unable to handle kernel NULL pointer dereference in frob_read"},
		"an oops while booting":  {nil, []jobs.Case{pass}, []jobs.Finding{boot}, "fail job 5 false general protection fault in frob_init (console.log:7)", "finding general protection fault in frob_init"},
		"an oops is no flake":    {nil, []jobs.Case{result("0_smoke", "frob", jobs.Fail, jobs.NoteKnown)}, []jobs.Finding{oops}, "fail test 1 true BUG: unable to handle kernel NULL pointer dereference in frob_read (console.log:7)", "finding BUG: unable to handle kernel NULL pointer dereference in frob_read"},
		"an allowed oops":        {nil, []jobs.Case{pass}, []jobs.Finding{{Kind: "oops", Title: "x", Section: "test", Allowed: "#42"}}, "pass  0 true ", "count 1 passed"},
		"a warning":              {nil, []jobs.Case{pass}, []jobs.Finding{fell("warning", "WARNING in frob", "test", false)}, "pass  0 true ", "count 1 passed"},
		"false panic":            {nil, nil, []jobs.Finding{{Kind: "panic", Title: "kernel panic: IO-APIC", Section: "boot", Fatal: true, Emulation: true, Line: 7}}, "incomplete infrastructure 3 false kernel panic: IO-APIC (console.log:7)", "finding kernel panic: IO-APIC"},
		"false alarm, then real": {nil, []jobs.Case{pass}, []jobs.Finding{{Kind: "soft-lockup", Title: "BUG: soft lockup", Section: "boot", Emulation: true, Line: 3}, fell("kasan", "KASAN: use-after-free in frob", "test", false)}, "fail test 1 true KASAN: use-after-free in frob (console.log:7)", "finding KASAN: use-after-free in frob"},
		"a boot overcome":        {nil, []jobs.Case{pass}, []jobs.Finding{overcome}, "pass  0 true ", "count 1 passed"},
		"overcome, out of time":  {step(jobs.ClassTimeout, "timed out after 10s"), []jobs.Case{pass, cut}, []jobs.Finding{overcome}, "incomplete timeout 4 false 3.1 lava-test-shell: timed out after 10s", "step 3.1 lava-test-shell"},
		"out of time":            {step(jobs.ClassTimeout, "timed out after 10s"), []jobs.Case{pass, cut}, []jobs.Finding{fell("hung-task", "INFO: task hung in frob", "test", false)}, "incomplete timeout 4 false 3.1 lava-test-shell: timed out after 10s", "step 3.1 lava-test-shell"},
		"out of time, oopsed":    {step(jobs.ClassTimeout, "timed out after 10s"), []jobs.Case{pass, cut}, []jobs.Finding{oops}, "incomplete test 1 false BUG: unable to handle kernel NULL pointer dereference in frob_read (console.log:7); then 3.1 lava-test-shell: timed out after 10s", "finding BUG: unable to handle kernel NULL pointer dereference in frob_read"},
		"the lab":                {step(jobs.ClassInfrastructure, "serial gone"), []jobs.Case{fail}, nil, "incomplete infrastructure 3 false 3.1 lava-test-shell: serial gone", "step 3.1 lava-test-shell"},
		"the job":                {step(jobs.ClassJob, "no such image"), nil, nil, "fail job 5 false 3.1 lava-test-shell: no such image", "step 3.1 lava-test-shell"},
		"canceled":               {step(jobs.ClassCanceled, "superseded"), []jobs.Case{fail}, []jobs.Finding{oops}, "canceled canceled 4 false 3.1 lava-test-shell: superseded", "step 3.1 lava-test-shell"},
		"gantry":                 {errors.New("nobody's fault"), nil, nil, "incomplete bug 6 false nobody's fault", "step job"},
	} {
		t.Run(name, func(t *testing.T) {
			v := jobs.Decide(c.err, c.cases, c.findings...)
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
	classes := []jobs.Class{"", jobs.ClassTest, jobs.ClassJob, jobs.ClassInfrastructure, jobs.ClassTimeout, jobs.ClassCanceled, jobs.ClassBug}
	verdicts := map[jobs.Class][]string{
		"": {jobs.VerdictPass}, jobs.ClassTest: {jobs.VerdictFail, jobs.VerdictIncomplete}, jobs.ClassJob: {jobs.VerdictFail},
		jobs.ClassInfrastructure: {jobs.VerdictIncomplete}, jobs.ClassTimeout: {jobs.VerdictIncomplete},
		jobs.ClassCanceled: {jobs.VerdictCanceled}, jobs.ClassBug: {jobs.VerdictIncomplete},
	}
	exits := map[jobs.Class]int{"": 0, jobs.ClassTest: 1, jobs.ClassInfrastructure: 3, jobs.ClassTimeout: 4, jobs.ClassCanceled: 4, jobs.ClassJob: 5, jobs.ClassBug: 6}
	aCase := rapid.Custom(func(t *rapid.T) jobs.Case {
		return result(rapid.SampledFrom([]string{"lava", "0_smoke", "1_ltp"}).Draw(t, "suite"), "c",
			rapid.SampledFrom([]string{jobs.Pass, jobs.Fail, jobs.Skip, jobs.Unknown, jobs.Missing}).Draw(t, "result"),
			rapid.SliceOfNDistinct(rapid.SampledFrom([]string{jobs.NoteKnown, jobs.NoteFlaky, jobs.NoteUnexpectedPass, "unsequenced"}), 0, 2, rapid.ID).Draw(t, "notes")...)
	})
	aFinding := rapid.Custom(func(t *rapid.T) jobs.Finding {
		f := fell(rapid.SampledFrom([]string{"panic", "oops", "warning", "hung-task", "soft-lockup", "denied"}).Draw(t, "kind"), "x",
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
			err = jobs.Failf(c, "ended by %s", c)
		}
		lost := rapid.Bool().Draw(t, "lost")
		if lost {
			err = &jobs.MissingError{What: "lost", Cause: err}
		}
		v := jobs.Decide(err, cases, findings...)
		missing, bad := lost, err != nil
		for _, c := range cases {
			missing = missing || c.Result == jobs.Missing
			bad = bad || c.Result == jobs.Missing || c.Suite != jobs.PipelineSuite && c.Fails()
		}
		for _, f := range findings {
			bad = bad || !f.Superseded && (f.Kind != "warning" && f.Kind != "hung-task" || f.Fatal)
		}
		switch {
		case (v.Verdict == jobs.VerdictPass) == bad:
			t.Fatalf("bad is %t: %+v", bad, v)
		case missing && (v.Complete || v.Verdict == jobs.VerdictPass):
			t.Fatalf("results are missing: %+v", v)
		case missing && v.Class == jobs.ClassTest && (v.Verdict != jobs.VerdictIncomplete || v.ExitCode() != 1):
			t.Fatalf("class test with results missing: %+v", v)
		case v.ExitCode() != exits[v.Class]:
			t.Fatalf("exit %d: %+v", v.ExitCode(), v)
		case !strings.Contains(strings.Join(verdicts[v.Class], " "), v.Verdict):
			t.Fatalf("verdict and class do not belong together: %+v", v)
		case v.Verdict == jobs.VerdictIncomplete && v.Class != jobs.ClassTest && v.Complete:
			t.Fatalf("incomplete and complete: %+v", v)
		case (v.Class == "") != (v.Message == "") || len(v.Evidence) == 0 || len(v.Evidence) > jobs.MaxEvidence:
			t.Fatalf("no reason: %+v", v)
		}
		if c := jobs.ClassOf(err); (c == jobs.ClassCanceled || c == jobs.ClassBug && !lost || c == jobs.ClassJob) && v.Class != c {
			t.Fatalf("class %s became %+v", c, v)
		}
	})
}

// TestFoldOfTries runs definitions again.
func TestFoldOfTries(t *testing.T) {
	a, b := "a", "b"
	for name, c := range map[string]struct {
		cases []jobs.Case
		want  []string // name, result, notes
	}{
		"fail, pass":               {[]jobs.Case{result("0_s", "x", jobs.Fail), {Suite: "0_s", Case: "x", Result: jobs.Pass, Try: 2}}, []string{"0_s/x pass flaky"}},
		"pass, fail":               {[]jobs.Case{result("0_s", "x", jobs.Pass), {Suite: "0_s", Case: "x", Result: jobs.Fail, Try: 2}}, []string{"0_s/x pass flaky"}},
		"fail, fail":               {[]jobs.Case{result("0_s", "x", jobs.Fail), {Suite: "0_s", Case: "x", Result: jobs.Fail, Try: 2}}, []string{"0_s/x fail "}},
		"fail, fail, pass":         {[]jobs.Case{result("0_s", "x", jobs.Fail), {Suite: "0_s", Case: "x", Result: jobs.Fail, Try: 2}, {Suite: "0_s", Case: "x", Result: jobs.Pass, Try: 3}}, []string{"0_s/x pass flaky"}},
		"fail, pass, fail":         {[]jobs.Case{result("0_s", "x", jobs.Fail), {Suite: "0_s", Case: "x", Result: jobs.Pass, Try: 2}, {Suite: "0_s", Case: "x", Result: jobs.Fail, Try: 3}}, []string{"0_s/x pass flaky"}},
		"fail, skip":               {[]jobs.Case{result("0_s", "x", jobs.Fail), {Suite: "0_s", Case: "x", Result: jobs.Skip, Try: 2}}, []string{"0_s/x fail "}},
		"fail, missing":            {[]jobs.Case{result("0_s", "x", jobs.Fail), {Suite: "0_s", Case: "x", Result: jobs.Missing, Try: 2}}, []string{"0_s/x fail "}},
		"known, then pass":         {[]jobs.Case{result("0_s", "x", jobs.Fail, jobs.NoteKnown), {Suite: "0_s", Case: "x", Result: jobs.Pass, Note: jobs.NoteUnexpectedPass, Try: 2}}, []string{"0_s/x pass flaky"}},
		"twice in a run":           {[]jobs.Case{result("0_s", "x", jobs.Pass), result("0_s", "x", jobs.Fail), {Suite: "0_s", Case: "x", Result: jobs.Pass, Try: 2}, {Suite: "0_s", Case: "x", Result: jobs.Pass, Try: 2}}, []string{"0_s/x pass ", "0_s/x pass flaky"}},
		"sets apart":               {[]jobs.Case{{Suite: "0_s", Set: &a, Case: "x", Result: jobs.Fail}, {Suite: "0_s", Set: &b, Case: "x", Result: jobs.Pass, Try: 2}}, []string{"0_s/a/x fail ", "0_s/b/x pass "}},
		"new in the second":        {[]jobs.Case{result("0_s", "x", jobs.Fail), {Suite: "0_s", Case: "y", Result: jobs.Fail, Try: 2}}, []string{"0_s/x fail ", "0_s/y fail "}},
		"a definition is the last": {[]jobs.Case{result("lava", "0_s", jobs.Pass), {Suite: "lava", Case: "0_s", Result: jobs.Missing, Try: 2}}, []string{"lava/0_s missing "}},
		"the same again, no retry": {[]jobs.Case{result("0_s", "x", jobs.Fail), result("0_s", "x", jobs.Pass)}, []string{"0_s/x fail ", "0_s/x pass "}},
	} {
		t.Run(name, func(t *testing.T) {
			r := jobs.NewResults()
			for _, x := range c.cases {
				r.Apply(jobs.Event{Case: &x})
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

// TestFoldOfRetriedSteps has a boot panic, and the next one succeed: what an attempt that was overcome said is told, and
// decides nothing.
func TestFoldOfRetriedSteps(t *testing.T) {
	begin := func(level string, try int) jobs.Event {
		return jobs.Event{Level: level, Step: &jobs.Step{Name: "x", Try: try}}
	}
	end := func(level string, try int, class jobs.Class) jobs.Event {
		return jobs.Event{Level: level, Step: &jobs.Step{Name: "x", Try: try, End: true, Class: class}}
	}
	found := func(kind, section string) jobs.Event {
		f := fell(kind, kind, section, kind == "panic")
		return jobs.Event{Finding: &f}
	}
	for name, c := range map[string]struct {
		events []jobs.Event
		want   string // findings that count
	}{
		"overcome":           {[]jobs.Event{begin("1", 1), found("oops", "boot"), end("1", 1, ""), begin("2", 1), begin("2.1", 1), found("panic", "boot"), end("2.1", 1, jobs.ClassJob), end("2", 1, jobs.ClassJob), begin("2", 2), begin("2.1", 1)}, "oops"},
		"in the last one":    {[]jobs.Event{begin("2", 1), found("panic", "boot"), end("2", 1, jobs.ClassJob), begin("2", 2), found("kasan", "boot"), end("2", 2, "")}, "kasan"},
		"twice":              {[]jobs.Event{begin("2", 1), found("panic", "boot"), end("2", 1, jobs.ClassJob), begin("2", 2), found("panic", "boot"), end("2", 2, jobs.ClassJob), begin("2", 3)}, ""},
		"in a step of a try": {[]jobs.Event{begin("2", 1), begin("2.1", 1), found("panic", "boot"), end("2.1", 1, jobs.ClassJob), begin("2.1", 2), found("bug", "boot"), end("2.1", 2, "")}, "bug"},
		"during a test":      {[]jobs.Event{begin("3", 1), found("oops", "test"), end("3", 1, jobs.ClassTest), begin("3", 2)}, "oops"},
		"no first try":       {[]jobs.Event{found("oops", "boot"), begin("3", 2)}, "oops"},
	} {
		t.Run(name, func(t *testing.T) {
			r := jobs.NewResults()
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
	step := func(level string, try int) jobs.Event {
		return jobs.Event{Level: level, Step: &jobs.Step{Name: "n", Try: try}}
	}
	reported := func(c jobs.Case) jobs.Event { return jobs.Event{Case: &c} }
	own := func(level, name, res string) jobs.Event {
		return jobs.Event{Level: level, Case: &jobs.Case{Suite: jobs.PipelineSuite, Case: name, Result: res}}
	}
	r := jobs.NewResults()
	for _, e := range []jobs.Event{
		step("3", 1), step("3.1", 1), reported(result("0_s", "before", jobs.Fail)), own("3.1", "shell", jobs.Pass), own("3", "retry", jobs.Pass),
		step("4", 1), step("4.1", 1), reported(result("1_s", "x", jobs.Fail)), reported(result("1_s", "only-first", jobs.Missing)),
		reported(result("lava", "1_s", jobs.Missing)), own("4.1", "shell", jobs.Fail), own("4", "retry", jobs.Fail),
		step("4", 2), step("4.1", 1), reported(result("1_s", "x", jobs.Pass)), reported(result("lava", "1_s", jobs.Pass)),
		own("4.1", "shell", jobs.Pass), own("4", "retry", jobs.Pass),
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
