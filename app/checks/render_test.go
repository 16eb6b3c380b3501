package checks

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/gantry-ci/gantry/app/ghapi"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/results"
)

func TestState(t *testing.T) {
	done := func(class results.Class) Run {
		v := results.Decide(nil, nil)
		if class != "" {
			v = results.Decide(results.Failf(class, "x"), nil)
		}
		return Run{Run: store.Run{State: store.RunCompleted, Verdict: v}}
	}
	queued, running := Run{Run: store.Run{State: store.RunQueued}}, Run{
		Run: store.Run{State: store.RunRunning, Attempts: 1},
	}
	again := Run{Run: store.Run{State: store.RunQueued, Attempts: 1}}
	for _, tt := range []struct {
		name string
		runs []Run
		want string
	}{
		{"queued", []Run{queued}, "queued/"},
		{"running", []Run{running}, "in_progress/"},
		{"waits for its second attempt", []Run{again}, "in_progress/"},
		{"one of two", []Run{queued, done("")}, "in_progress/"},
		{"passed", []Run{done(""), done("")}, "completed/success"},
		{"test", []Run{done(""), done(results.ClassTest)}, "completed/failure"},
		{"job", []Run{done(results.ClassInfrastructure), done(results.ClassJob)}, "completed/failure"},
		{"lab", []Run{done(""), done(results.ClassInfrastructure)}, "completed/neutral"},
		{"bug", []Run{done(results.ClassBug)}, "completed/neutral"},
		{"timeout", []Run{done(results.ClassTimeout), done(results.ClassCanceled)}, "completed/timed_out"},
		{"canceled", []Run{done(results.ClassCanceled), done("")}, "completed/cancelled"},
		{"passed without a verdict", []Run{{Run: store.Run{State: store.RunCompleted}}}, "completed/neutral"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if s, c := state(tt.runs); s+"/"+c != tt.want {
				t.Errorf("got %s/%s, want %s", s, c, tt.want)
			}
		})
	}
}

// Whatever a guest reports, the check is within GitHub's limits, is valid UTF-8, and has no markup of the guest's.
func TestRenderHostile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hostile := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
			"<script>alert(1)</script>", "![x](http://evil)", "| a | b |", "@octocat #1", "```\n", "\x1b[31m\x00\u202e",
			"\xff\xfe", strings.Repeat("é", 70000),
		}))
		r := results.NewResults()
		for range rapid.IntRange(0, 5).Draw(t, "cases") {
			r.Cases = append(r.Cases, results.Case{
				Suite: hostile.Draw(t, "suite"), Case: hostile.Draw(t, "case"),
				Result:  rapid.SampledFrom([]string{results.Pass, results.Fail, hostile.Draw(t, "result")}).Draw(t, "of"),
				Message: hostile.Draw(t, "message"), Note: hostile.Draw(t, "note"), LogLine: new(3), Log: hostile.Draw(t, "log"),
			})
		}
		for range rapid.IntRange(1, 50).Draw(t, "findings") {
			r.Findings = append(r.Findings, results.Finding{
				Kind: "oops", Title: hostile.Draw(t, "title"), Text: hostile.Draw(t, "text"),
				Allowed: rapid.SampledFrom([]string{"", "x"}).Draw(t, "allowed"),
				Suite:   hostile.Draw(t, "its suite"), Case: hostile.Draw(t, "its case"), File: hostile.Draw(t, "its log"),
			})
		}
		r.Verdict = results.Decide(results.Failf(results.ClassJob, "%s", hostile.Draw(t, "error")), r.Cases, r.Findings...)
		run := Run{
			Run:     store.Run{ID: "id", Name: "smoke", State: store.RunCompleted, Verdict: r.Verdict},
			Results: r, Job: []byte(hostile.Draw(t, "job")), Attempts: []store.Attempt{{Target: hostile.Draw(t, "target")}},
		}
		s := Render(View{
			Check: store.Check{ID: "c", Name: "smoke", Path: "ci/smoke.yaml"}, Runs: []Run{run},
		}, "https://lab.example.org")
		out := s.Run.Output
		for what, got := range map[string]string{"summary": out.Summary, "text": out.Text} {
			if len(got) > ghapi.MaxText || !utf8.ValidString(got) {
				t.Errorf("%s of %d bytes, valid: %v", what, len(got), utf8.ValidString(got))
			}
			if strings.Contains(got, "<script") || strings.Contains(got, "![") || strings.Contains(got, "@octocat") ||
				strings.ContainsAny(got, "\x00\x1b\u202e") {
				t.Errorf("%s has markup: %q", what, got)
			}
		}
		if len(out.Title) > ghapi.MaxTitle || !utf8.ValidString(out.Title) {
			t.Errorf("title: %q", out.Title)
		}
		for _, a := range s.Annotations {
			if len(a.Message) > ghapi.MaxMessage || len(a.Title) > ghapi.MaxTitle || a.Message == "" || a.StartLine < 1 ||
				!utf8.ValidString(a.Message+a.Title) {
				t.Errorf("annotation: %d bytes, line %d", len(a.Message), a.StartLine)
			}
		}
	})
}

func TestLocate(t *testing.T) {
	const job = `device_type: qemu
job_name: smoke
timeouts: {job: {minutes: 10}}
visibility: public
actions:
- test:
    definitions:
    - from: inline
      name: one
      path: one.yaml
      repository:
        metadata: {format: Lava-Test Test Definition 1.0, name: one}
        run:
          steps:
          - lava-test-case "a" --shell true
          - echo; lava-test-case b --result pass
    - {from: git, name: two, path: two.yaml, repository: "https://example.com/two"}
`
	src := parseSource([]byte(job))
	for _, tt := range []struct {
		suite, name string
		want        int
	}{
		{"0_one", "a", 15},
		{"0_one", "b", 16},
		{"0_one", "c", 8},
		{"1_two", "a", 17},
		{"2_none", "a", 1},
		{"lava", "a", 1},
		{"-1_x", "a", 1},
	} {
		if got := src.line(results.Case{Suite: tt.suite, Case: tt.name}); got != tt.want {
			t.Errorf("%s/%s is at line %d, want %d", tt.suite, tt.name, got, tt.want)
		}
	}
}
