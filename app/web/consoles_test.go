package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

// twoConsoles is a run of a board with two consoles, each with a finding or a case at its line 3.
func twoConsoles(t *testing.T) *testLab {
	t.Helper()
	l := newLab(t)
	l.begin()
	l.append(lab.Console, "U-Boot\r\nLinux\r\nPASS net up\r\nlogin:\r\n")
	l.append(lab.ConsoleStream("uart1"), "boot rom\r\nmcu\r\n<panic> in mcu\r\n")
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l.append(lab.TimesStream("uart1"), string(results.Arrival{Offset: 10, Time: start.Add(2 * time.Second)}.Append(
		results.Arrival{Time: start}.Append(nil),
	)))
	r := results.NewResults()
	r.Cases = []results.Case{
		{Suite: "0_net", Case: "up", Result: results.Pass, LogLine: new(3)},
		{Suite: "0_mcu", Case: "up", Result: results.Fail, LogLine: new(3), Log: "console-uart1.log"},
		{Suite: "0_mcu", Case: "odd", Result: results.Pass, LogLine: new(3), Log: "../console.log"},
	}
	r.Findings = []results.Finding{
		{Kind: "panic", Title: "panic in mcu", Fatal: true, Section: "test", File: "console-uart1.log", Line: 3},
	}
	r.Verdict = results.Decide(nil, r.Cases, r.Findings...)
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.store.EndLease(t.Context(), l.runner, l.lease.ID, store.End{Verdict: r.Verdict, Results: b}); err != nil {
		t.Fatal(err)
	}
	return l
}

// Each console has its own pages, and links lead to the line in the right one.
func TestConsoles(t *testing.T) {
	l := twoConsoles(t)
	base := "/runs/" + l.run.ID
	page, _ := l.get(base, http.StatusOK)
	for _, want := range []string{
		`<a href="` + base + `/console">console.log</a>`, `<a href="` + base + `/consoles/uart1">console-uart1.log</a>`,
		`<a href="` + base + `/console/3#L3">3</a>`, `<a href="` + base + `/consoles/uart1/3#L3">uart1:3</a>`,
		`<b>panic in mcu</b>, <a href="` + base + `/consoles/uart1/3#L3">console uart1, line 3</a>`,
		`>Console uart1</h2>`, "boot rom\nmcu\n&lt;panic&gt; in mcu\n</pre>", "panic in mcu (console-uart1.log:3)",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "..") {
		t.Errorf("a link to a log that no run can have:\n%s", page)
	}
	page, _ = l.get(base+"/consoles/uart1/3", http.StatusOK)
	for _, want := range []string{
		`<h1>Console uart1, line 3</h1>`, `<code>&lt;panic&gt; in mcu</code>`, `<a href="` + base + `/consoles/uart1">All`,
		`>2.000</time>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the line's page lacks %q:\n%s", want, page)
		}
	}
	text, head := l.get(base+"/consoles/uart1", http.StatusOK)
	if !strings.HasPrefix(text, "boot rom\r\n") || head.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%q served as %v", text, head)
	}
	for _, none := range []string{"uart2", "uart2/1", "uart1/4", "UART1", "..%2fx"} {
		l.get(base+"/consoles/"+none, http.StatusNotFound)
	}
}

// TestConsolesInBrowser opens the page on a desktop and on a phone: nothing is wider than the screen, and the first
// piece of evidence leads to the line of the second console. GANTRY_SCREENSHOTS names a folder for screenshots.
func TestConsolesInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser; not in short runs")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium here")
	}
	l := twoConsoles(t)
	srv := httptest.NewServer(l.h)
	defer srv.Close()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 2*time.Minute, errors.New("the browser is too slow"))
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()))...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	for _, width := range []int64{1200, 390} {
		err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(srv.URL+"/runs/"+l.run.ID))
		if err != nil {
			t.Fatal(err)
		}
		checkWidth(ctx, t, width)
		picture(ctx, t, fmt.Sprintf("consoles-%d", width))
		line := evaluate[string](ctx, t, "document.querySelector('.why a').href")
		if err := chromedp.Do(ctx, chromedp.Navigate(line)); err != nil {
			t.Fatal(err)
		}
		if got := evaluate[string](ctx, t, "document.querySelector(':target code').innerText"); got != "<panic> in mcu" {
			t.Errorf("the link leads to %q", got)
		}
		checkWidth(ctx, t, width)
		picture(ctx, t, fmt.Sprintf("consoles-line-%d", width))
	}
}

func checkWidth(ctx context.Context, t *testing.T, width int64) {
	t.Helper()
	if wide := evaluate[int64](ctx, t, "document.documentElement.scrollWidth"); wide > width {
		t.Errorf("the page is %d pixels wide on a screen of %d", wide, width)
	}
}

func evaluate[T any](ctx context.Context, t *testing.T, script string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return v
}

func picture(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("GANTRY_SCREENSHOTS")
	if dir == "" {
		return
	}
	b, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
