package flow

import (
	"testing"
	"testing/synctest"
	"time"
)

// A line is of the case that began last before it, whatever began since.
func TestCaseAt(t *testing.T) {
	var r running
	r.SetCase(10, "0_a", "")
	r.SetCase(12, "0_a", "open")
	r.SetCase(20, "0_a", "")
	r.SetCase(20, "", "")
	for line, want := range map[int]string{
		9: "/", 10: "0_a/", 11: "0_a/", 12: "0_a/open", 19: "0_a/open", 20: "/", 99: "/",
	} {
		if suite, name := r.CaseAt(line); suite+"/"+name != want {
			t.Errorf("line %d: %s/%s, want %s", line, suite, name, want)
		}
	}
	for i := range 2 * maxChanges {
		r.SetCase(100+i, "1_b", "x")
	}
	if suite, _ := r.CaseAt(200 + 2*maxChanges); suite != "1_b" || r.Progress() != 4+2*maxChanges {
		t.Errorf("suite %q after %d changes", suite, r.Progress())
	}
}

// The kernel's messages wait for the reader of results, and not for ever.
func TestAwaitRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		elapsed := func(r *running, to int64) time.Duration {
			start := time.Now()
			r.AwaitRead(t.Context(), to)
			return time.Since(start)
		}
		var r running
		if d := elapsed(&r, 100); d != 0 {
			t.Errorf("nobody reads, and it took %s", d)
		}
		r.BeginReading(50)
		if d := elapsed(&r, 50); d != 0 {
			t.Errorf("it was read, and it took %s", d)
		}
		go func() {
			for _, to := range []int64{60, 80, 100} {
				time.Sleep(time.Millisecond)
				r.Read(to)
			}
		}()
		if d := elapsed(&r, 100); d != 3*time.Millisecond {
			t.Errorf("read after 3 ms, and it took %s", d)
		}
		if d := elapsed(&r, 101); d != readWait {
			t.Errorf("never read, and it took %s", d)
		}
		go func() {
			time.Sleep(time.Millisecond)
			r.EndReading()
		}()
		if d := elapsed(&r, 101); d != time.Millisecond {
			t.Errorf("the reading ended after 1 ms, and it took %s", d)
		}
	})
}
