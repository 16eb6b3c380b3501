package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

// A run that has ended is exported for dashboards, with the app's verdict. A run in progress is not.
func TestDownloads(t *testing.T) {
	l := newLab(t)
	l.begin()
	var events []byte
	for i, e := range []results.Event{
		{Start: &results.Start{Job: "smoke", Device: "qemu-1", Attempt: 1}},
		{Case: &results.Case{Suite: "0_smoke", Case: "flaky", Result: results.Fail}},
		{Case: &results.Case{Suite: "0_smoke", Case: "known", Result: results.Fail, Note: results.NoteKnown, Known: "#42"}},
		{Case: &results.Case{Suite: "0_smoke", Case: "flaky", Result: results.Pass, Try: 2}},
		{Case: &results.Case{Suite: results.PipelineSuite, Case: "job", Result: results.Pass}},
		{Verdict: &results.Verdict{Verdict: results.VerdictPass, Complete: true}},
	} {
		e.Seq, e.Time = int64(i+1), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		events = append(append(events, b...), '\n')
	}
	l.append(lab.Events, string(events))
	base := "/runs/" + l.run.ID
	for _, file := range []string{"/junit.xml", "/lava-results.yaml"} {
		l.get(base+file, http.StatusNotFound)
	}
	res, _, err := store.FoldEvents(strings.NewReader(string(events)))
	if err != nil {
		t.Fatal(err)
	}
	res.Verdict = results.Decide(
		results.Failf(results.ClassInfrastructure, "1 of 2 bytes of the run's events arrived"), res.Cases,
	)
	b, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.store.EndLease(
		t.Context(), l.runner, l.lease.ID, store.End{Verdict: res.Verdict, Results: b},
	); err != nil {
		t.Fatal(err)
	}
	if l.store.Tx(t.Context(), func(ctx context.Context, tx *store.Tx) error { // else it is tried again
		_, err := l.store.CancelRun(ctx, tx, l.run.ID, "")
		return err
	}) != nil {
		t.Fatal("not canceled")
	}
	for file, want := range map[string][]string{
		"/junit.xml": {
			`<property name="note" value="flaky">`, `<skipped message="known failure: #42">`,
			`<error message="1 of 2 bytes of the run&#39;s events arrived" type="infrastructure">`,
		},
		"/lava-results.yaml": {
			"job: " + l.run.ID, "name: flaky\n  result: pass", "note: flaky", "known_failure: '#42'",
			"error_type: Infrastructure",
		},
		"/events.jsonl": {`"seq":6`},
		"/results.json": {`"verdict":"incomplete"`, `"evidence":[{"kind":"step"`},
	} {
		text, head := l.get(base+file, http.StatusOK)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s lacks %q:\n%s", file, w, text)
			}
		}
		if strings.Contains(head.Get("Content-Type"), "html") {
			t.Errorf("%s is served as %s", file, head.Get("Content-Type"))
		}
	}
	if text, _ := l.get(base+"/lava-results.yaml", http.StatusOK); strings.Count(text, "name: flaky") != 1 {
		t.Errorf("a case is there for each try:\n%s", text)
	}
}

// A line of the console has an address, and its page shows it as text.
func TestLines(t *testing.T) {
	l := newLab(t)
	l.begin()
	var b strings.Builder
	for n := range 1000 {
		fmt.Fprintf(&b, "line %d\r\n", n+1)
	}
	l.append(lab.Console, b.String()+strings.Repeat("x", 3*longLine)+"\n<script>\x1b[1m\n")
	base := "/runs/" + l.run.ID + "/console/"
	for _, tt := range []struct {
		line, first, last, earlier, later int
	}{{1, 1, 151, 0, 301}, {151, 1, 301, 0, 451}, {500, 350, 650, 200, 800}, {1002, 852, 1002, 702, 0}} {
		page, _ := l.get(base+strconv.Itoa(tt.line), http.StatusOK)
		for _, want := range []string{fmt.Sprintf(`<div id="L%d" class="asked">`, tt.line), fmt.Sprintf(
			`<div id="L%d"`, tt.first,
		), fmt.Sprintf(`<div id="L%d"`, tt.last)} {
			if !strings.Contains(page, want) {
				t.Errorf("line %d: no %q", tt.line, want)
			}
		}
		for number, link := range map[int]string{tt.earlier: ">Earlier", tt.later: ">Later"} {
			if number == 0 && strings.Contains(page, link) ||
				number > 0 && !strings.Contains(page, fmt.Sprintf(`console/%d#L%d"%s`, number, number, link)) {
				t.Errorf("line %d: %s is not %d", tt.line, link, number)
			}
		}
		if strings.Contains(page, fmt.Sprintf(`id="L%d"`, tt.last+1)) ||
			strings.Contains(page, fmt.Sprintf(`id="L%d"`, tt.first-1)) {
			t.Errorf("line %d: more lines", tt.line)
		}
		if strings.Contains(page, "<script") || strings.ContainsAny(page, "\x1b\r") || len(page) > 100<<10 {
			t.Errorf("line %d: a page of %d bytes", tt.line, len(page))
		}
	}
	for _, bad := range []string{"0", "-1", "1003", "x", "99999999999999999999"} {
		l.get(base+bad, http.StatusNotFound)
	}
}

// If the runner has recorded when bytes arrived, lines show it.
func TestLineTimes(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, tt := range map[string]struct {
		times string
		want  string // of the second line
	}{
		"told": {
			string(results.Arrival{
				Offset: 8, Time: start.Add(1500 * time.Millisecond),
			}.Append(results.Arrival{Time: start}.Append(nil))),
			`<time datetime="2026-01-02T03:04:06.500Z" title="2026-01-02T03:04:06.500Z">1.500</time><code>second</code>`,
		},
		"not yet": {"", `3</a><code>second</code>`},
		"damaged": {strings.Repeat("<script>\n", 100), `3</a><code>second</code>`},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.begin()
			l.append(lab.Console, "first\r\n\nsecond\n")
			if tt.times != "" {
				l.append(lab.Times, tt.times)
			}
			page, _ := l.get("/runs/"+l.run.ID+"/console/1", http.StatusOK)
			if !strings.Contains(page, tt.want) || strings.Contains(page, "<script") {
				t.Errorf("no %s in %s", tt.want, page)
			}
		})
	}
}

// The page shows what the verdict rests on, with its lines.
func TestEvidence(t *testing.T) {
	l := newLab(t)
	l.begin()
	r := results.NewResults()
	r.Cases = []results.Case{{Suite: "0_smoke", Case: "frob", Result: results.Fail, Message: "exit <7>", LogLine: new(40)}}
	r.Findings = []results.Finding{
		{
			Kind: "oops", Title: "BUG: oops in <frob>", Line: 12, Section: "test", Suite: "0_smoke", Case: "frob",
			Text: "BUG\n frob+0x1/0x2 fs/frob.c:3\n",
		},
		{Kind: "warning", Title: "WARNING in x", Line: 7, Section: "boot", Allowed: "#42"},
	}
	r.Verdict = results.Decide(nil, r.Cases, r.Findings...)
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	l.append(
		lab.Events,
		`{"seq":1,"log":{"level":"info","message":"all is well"}}`+"\n"+
			`{"seq":2,"log":{"level":"warning","message":"stacks are <not> decoded"}}`+"\n",
	)
	if err := l.store.EndLease(t.Context(), l.runner, l.lease.ID, store.End{Verdict: r.Verdict, Results: b}); err != nil {
		t.Fatal(err)
	}
	page, _ := l.get("/runs/"+l.run.ID, http.StatusOK)
	for _, want := range []string{
		"<h2>Why</h2>",
		`<b>BUG: oops in &lt;frob&gt;</b>, <a href="/runs/` + l.run.ID + `/console/12#L12">console line 12</a>`,
		`case <b>0_smoke/frob</b>: <span class="fail">fail</span>`, "exit &lt;7&gt;", "frob&#43;0x1/0x2 fs/frob.c:3",
		"during 0_smoke/frob", "allowed: #42", "lava-results.yaml",
		"<li class=\"message\">stacks are &lt;not&gt; decoded</li>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}
