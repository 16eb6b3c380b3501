package served_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// pageTimeout is for a browser that starts beside other tests.
const pageTimeout = 2 * time.Minute

// look opens a run's page in a real browser, on a desk and on a telephone: nothing is wider than the screen, and the
// first piece of evidence leads to a line of the console that is seen. GANTRY_SCREENSHOTS keeps pictures.
func look(t *testing.T, page, name string) {
	t.Helper()
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Log("the pages are not looked at: no chromium here")
		return
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), pageTimeout, errors.New("the browser is too slow"))
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(
		browser,
	),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	for _, width := range []int64{1200, 390} {
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(page)); err != nil {
			t.Fatalf("open %s: %v", page, err)
		}
		wide := evaluate[int64](ctx, t, "document.documentElement.scrollWidth")
		if wide > width {
			t.Errorf("%s is %d pixels wide on a screen of %d", page, wide, width)
		}
		evaluate[bool](ctx, t, "document.querySelectorAll('details').forEach(d => d.open = true) === undefined")
		picture(ctx, t, fmt.Sprintf("%s-%d", name, width))
		to := evaluate[string](ctx, t, "document.querySelector('.why a').href")
		if err := chromedp.Do(ctx, chromedp.Navigate(to)); err != nil {
			t.Fatalf("open %s: %v", to, err)
		}
		seen := evaluate[bool](
			ctx, t, "(r => r.top >= 0 && r.bottom <= innerHeight)(document.querySelector(':target').getBoundingClientRect())",
		)
		if wide := evaluate[int64](ctx, t, "document.documentElement.scrollWidth"); !seen || wide > width {
			t.Errorf("%s: the line is seen: %t; %d pixels wide on a screen of %d", to, seen, wide, width)
		}
		picture(ctx, t, fmt.Sprintf("%s-line-%d", name, width))
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
	shoot := chromedp.FullScreenshot(100)
	if _, err := os.Stat(dir); err != nil {
		t.Fatal(err)
	}
	b, err := chromedp.Run(ctx, shoot)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
