package served_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/test/scene"
)

// TestLists has a repository say what it knows of its tests and its kernel, and looks at what the checks make of it:
// what is new, known and flaky is told apart, an allowed message fails nothing, a denied one does, and no list masks a
// crash.
func TestLists(t *testing.T) {
	done := serve(t, "testdata/repo", 3, nil)
	for name, want := range map[string]struct {
		title       string
		verdict     string
		annotations []string // path:line title
		summary     []string // of the check
	}{
		"lists": {
			"1 newly failed, 1 passed unexpectedly, 1 known to fail, 1 flaky, 1 passed", "fail test true",
			[]string{"ci/lists.yaml:23 broken failed", "ci/lists.yaml:25 mended passed unexpectedly"},
			[]string{
				"case <code>0&#95;lists/broken</code>: fail", "case <code>0&#95;lists/mended</code>: pass",
				"it is a known failure&#58; not yet, &#35;43", "warning: <code>WARNING in frob&#95;check</code>",
				"; allowed: fixed in 6.12, &#35;44", "do&#95;sys&#95;open+0x57/0x80",
			},
		},
		"denied": {
			"frobnicator: lost an interrupt (1 passed)", "incomplete test false",
			[]string{"ci/denied.yaml:15 frobnicator: lost an interrupt"},
			[]string{
				"finding <code>frobnicator&#58; lost an interrupt</code>", "it ended 3.", "; denied: our driver must not, &#35;45",
			},
		},
		"panic": {
			"kernel panic: sysrq triggered crash (1 missing, 1 passed)", "incomplete test false",
			[]string{"ci/panic.yaml:25 kernel panic: sysrq triggered crash", "ci/panic.yaml:25 crash missing"},
			[]string{
				"finding <code>kernel panic&#58; sysrq triggered crash</code>", "sysrq&#95;handle&#95;crash",
				"case <code>0&#95;panic/crash</code>: missing",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := done[name]
			t.Logf("%s: %s\n%s", c.Conclusion, c.Output.Title, c.Output.Summary)
			if c.Conclusion != "failure" || c.Output.Title != want.title {
				t.Errorf("%s: %q, want failure and %q", c.Conclusion, c.Output.Title, want.title)
			}
			if d := cmp.Diff(want.annotations, annotations(c)); d != "" {
				t.Error(d)
			}
			has(t, "the summary", c.Output.Summary, want.summary...)
			page, text := get(t, c.DetailsURL)
			has(t, "the page", text, "<h2>Why</h2>", "<h2>Kernel findings</h2>", "lava-results.yaml")
			if name == "panic" {
				has(t, "the page", text, `stacks are not decoded: open image &#34;vmlinux&#34;: bad magic number`)
			}
			checkResults(t, page, want.verdict)
			look(t, page, name)
		})
	}
	t.Run("files", func(t *testing.T) { files(t, done["lists"].DetailsURL) })
}

func annotations(c scene.CheckRun) (all []string) {
	for _, a := range c.Annotations {
		all = append(all, strings.TrimSpace(a.Path+":"+jsonText(a.Line)+" "+a.Title))
	}
	return all
}

func jsonText(v any) string {
	b, _ := json.Marshal(v) // a number
	return string(b)
}

// checkResults holds the results behind the page against the verdict, and that each piece of evidence has a line that
// is there.
func checkResults(t *testing.T, page, verdict string) {
	t.Helper()
	var r results.Results
	_, text := get(t, page+"/results.json")
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	if got := r.Verdict.Verdict + " " + string(r.Class) + " " + jsonText(r.Complete); got != verdict {
		t.Errorf("verdict %s, want %s: %s", got, verdict, r.Message)
	}
	if len(r.Evidence) == 0 {
		t.Error("no evidence")
	}
	for _, e := range r.Evidence {
		if e.LogLine == 0 {
			continue
		}
		n := jsonText(e.LogLine)
		_, lines := get(t, page+"/console/"+n)
		has(t, "the console's page", lines, `<div id="L`+n+`" class="asked">`)
	}
}

// files reads what dashboards read.
func files(t *testing.T, check string) {
	page, _ := get(t, check)
	_, junit := get(t, page+"/junit.xml")
	has(t, "junit.xml", junit, `<failure></failure>`, `<skipped message="known failure: not yet, #42">`,
		`passed, though it is a known failure: not yet, #43`,
		`<property name="note" value="flaky">`, "WARNING in frob_check")
	_, lava := get(t, page+"/lava-results.yaml")
	if n := strings.Count(lava, "name: flaky\n"); n != 1 {
		t.Errorf("the flaky case is there %d times:\n%s", n, lava)
	}
	has(
		t, "lava-results.yaml", lava, "name: flaky\n  result: pass\n", "name: known\n  result: fail\n",
		"known_failure: 'not yet, #42'", "note: unexpected pass", "note: flaky",
	)
	_, events := get(t, page+"/events.jsonl")
	tries := 0
	for line := range strings.Lines(events) {
		var e results.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Case != nil && e.Case.Case == "flaky" && slices.Contains([]string{results.Pass, results.Fail}, e.Case.Result) {
			tries++
		}
	}
	if tries != 2 {
		t.Errorf("the record has %d results of the flaky case", tries)
	}
}
