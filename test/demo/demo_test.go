package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/gantry-ci/gantry/test/guest"
)

// TestDemo shows the whole product, from a signed webhook to a completed check, for each way that a pull request can
// go.
func TestDemo(t *testing.T) {
	guest.Need(t)
	for _, tt := range []struct{ repo, want, says string }{
		{"pass", "success", "3 passed"},
		{"failing-test", "failure", "1 failed, 3 passed"},
		{"panic", "failure", "kernel panic: VFS: Unable to mount root fs"},
		{"hang", "failure", "timed out after 30s"},
		{"typo", "failure", `"start_line": 3`},
	} {
		t.Run(tt.repo, func(t *testing.T) {
			t.Parallel() // they wait for guests
			var out strings.Builder
			o := options{repo: filepath.Join("repos", tt.repo), want: tt.want, out: &out}
			if browser, err := exec.LookPath("chromium"); err == nil {
				o.look = func(ctx context.Context, page string) error { return open(ctx, t, browser, page, tt.repo) }
			} else {
				t.Log("the pages are not looked at: no chromium here")
			}
			if err := demo(t.Context(), o); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			if !strings.Contains(out.String(), tt.says) {
				t.Errorf("the check does not say %q:\n%s", tt.says, out.String())
			}
		})
	}
}

// TestDemoCanFail proves that the demo says no.
func TestDemoCanFail(t *testing.T) {
	err := demo(t.Context(), options{repo: filepath.Join("repos", "typo"), want: "success", out: new(strings.Builder)})
	if err == nil || !strings.Contains(err.Error(), `the conclusion is "failure", expected "success"`) {
		t.Errorf("a refused configuration where success is expected: %v", err)
	}
}

// pageTimeout is for a browser that starts beside other tests.
const pageTimeout = 2 * time.Minute

// open looks at a page in a real browser: it loads without an error, has a heading, and no script.
func open(ctx context.Context, t *testing.T, browser, page, name string) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, pageTimeout, errors.New("the browser is too slow"))
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(
		browser,
	),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1200, 1400), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))...)
	defer cancel()
	faults := make(chan string, 100) // the listener must not block
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(func(ev any) {
		if e, ok := ev.(*runtime.EventExceptionThrown); ok {
			select {
			case faults <- e.ExceptionDetails.Text:
			default:
			}
		}
	}))
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(page)); err != nil {
		return fmt.Errorf("open %s: %w", page, err)
	}
	heading, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.querySelector('h1').innerText"))
	if err != nil {
		return fmt.Errorf("open %s: %w", page, err)
	}
	scripts, err := chromedp.Run(ctx, chromedp.Evaluate[int]("document.scripts.length"))
	if err != nil {
		return fmt.Errorf("open %s: %w", page, err)
	}
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		return fmt.Errorf("open %s: %w", page, err)
	}
	if heading == "" || scripts != 0 || len(faults) > 0 {
		return fmt.Errorf("open %s: heading %q, %d scripts, %d exceptions", page, heading, scripts, len(faults))
	}
	if dir := os.Getenv("GANTRY_SCREENSHOTS"); dir != "" {
		return os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600)
	}
	return nil
}
