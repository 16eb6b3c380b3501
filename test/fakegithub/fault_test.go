package fakegithub_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/gantry-ci/gantry/test/fakegithub"
)

const checkRuns = "/repos/octo-lab/kernel/check-runs"

func (l *lab) makeCheckRun(t *testing.T) (*github.CheckRun, error) {
	t.Helper()
	run, _, err := l.client.Checks.CreateCheckRun(t.Context(), "octo-lab", "kernel", github.CreateCheckRunOptions{
		Name: "smoke", HeadSHA: l.repo.Head(""),
	})
	return run, err
}

func TestFaults(t *testing.T) {
	reset := time.Now().Add(time.Hour).Truncate(time.Second)
	for name, c := range map[string]struct {
		fault fakegithub.Fault
		made  int
		is    func(error) bool
	}{
		"primary": {fakegithub.PrimaryLimit(reset), 0, func(err error) bool {
			limit, is := errors.AsType[*github.RateLimitError](err)
			return is && limit.Rate.Remaining == 0 && limit.Rate.Reset.Equal(github.Timestamp{Time: reset})
		}},
		"secondary 403": {fakegithub.SecondaryLimit(http.StatusForbidden, time.Minute), 0, func(err error) bool {
			limit, is := errors.AsType[*github.AbuseRateLimitError](err)
			return is && limit.GetRetryAfter() == time.Minute
		}},
		"secondary 429": {fakegithub.SecondaryLimit(http.StatusTooManyRequests, time.Minute), 0, func(err error) bool {
			answer, is := errors.AsType[*github.ErrorResponse](err)
			return is && answer.Response.StatusCode == http.StatusTooManyRequests && answer.Response.Header.Get(
				"Retry-After",
			) == "60"
		}},
		"502": {fakegithub.ServerError(http.StatusBadGateway), 0, func(err error) bool {
			answer, is := errors.AsType[*github.ErrorResponse](err)
			return is && answer.Response.StatusCode == http.StatusBadGateway
		}},
		"drop": {
			fakegithub.Drop(), 0, func(err error) bool { return err != nil && strings.Contains(err.Error(), "EOF") },
		},
		"lose reply": {
			fakegithub.LoseReply(), 1, func(err error) bool { return err != nil && strings.Contains(err.Error(), "EOF") },
		},
		"slow": {fakegithub.Slow(time.Millisecond), 1, func(err error) bool { return err == nil }},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, fakegithub.Options{})
			if _, _, err := l.client.Repositories.Get(t.Context(), "octo-lab", "kernel"); err != nil {
				t.Fatal(err)
			}
			l.Inject(c.fault.On(http.MethodPost, checkRuns))
			if _, err := l.makeCheckRun(t); !c.is(err) {
				t.Errorf("the client got %v", err)
			}
			if n := len(l.repo.CheckRuns()); n != c.made {
				t.Errorf("%d check runs were made, want %d", n, c.made)
			}
			// The fault was for one request. The library keeps limits by itself, so ask anew.
			l.client = l.installationClient(t, l.inst.ID)
			if _, err := l.makeCheckRun(t); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestFaultSkips lets requests through before it breaks some.
func TestFaultSkips(t *testing.T) {
	l := newLab(t, fakegithub.Options{})
	fault := fakegithub.ServerError(http.StatusInternalServerError).On(http.MethodPost, checkRuns)
	fault.Skip, fault.Times = 1, 2
	l.Inject(fault)
	var got []bool
	for range 4 {
		_, err := l.makeCheckRun(t)
		got = append(got, err == nil)
	}
	if fmt.Sprint(got) != "[true false false true]" {
		t.Errorf("answered %v", got)
	}
}

func TestConditionalRequests(t *testing.T) {
	l := newLab(t, fakegithub.Options{})
	get := func(tag string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.URL()+"/repos/octo-lab/kernel", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if tag != "" {
			req.Header.Set("If-None-Match", tag)
		}
		resp, err := l.client.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp
	}
	first := get("")
	again := get("W/" + first.Header.Get("ETag"))
	if first.StatusCode != http.StatusOK || again.StatusCode != http.StatusNotModified {
		t.Errorf("answered %s, then %s", first.Status, again.Status)
	}
	if a, b := first.Header.Get("X-RateLimit-Remaining"), again.Header.Get("X-RateLimit-Remaining"); a != "4999" ||
		b != a {
		t.Errorf("remaining %s, then %s: a 304 is free", a, b)
	}
}

func TestContentLimit(t *testing.T) {
	at := newClock()
	l := newStrictLab(t, fakegithub.Options{ContentLimits: true, Now: at.Now})
	token := l.token(t)
	body := fmt.Sprintf(`{"name":"smoke","head_sha":%q}`, l.repo.Head(""))
	for i := range 80 {
		if status, message := send(t, l, token, http.MethodPost, checkRuns, body); status != 201 {
			t.Fatalf("request %d: %d, %s", i, status, message)
		}
	}
	if status, message := send(t, l, token, http.MethodPost, checkRuns, body); status != 403 ||
		!strings.Contains(message, "secondary rate limit") {
		t.Errorf("the 81st: %d, %s", status, message)
	}
	if broken := l.broken.take(t); broken.Rule != fakegithub.RuleLimit {
		t.Errorf("recorded %v", broken)
	}
	at.advance(time.Minute)
	if status, _ := send(t, l, token, http.MethodPost, checkRuns, body); status != 201 {
		t.Errorf("a minute later: %d", status)
	}
}

// TestManyClients has clients write at the same time, and a test wait for them.
func TestManyClients(t *testing.T) {
	l := newLab(t, fakegithub.Options{})
	const clients, each = 8, 10
	for i := range clients {
		go func() {
			for range each {
				// A failure shows as check runs missing below.
				_, _, _ = l.client.Checks.CreateCheckRun(t.Context(), "octo-lab", "kernel", github.CreateCheckRunOptions{
					Name: fmt.Sprint("smoke-", i), HeadSHA: l.repo.Head(""), Conclusion: new("success"),
				})
			}
		}()
	}
	for i := range clients {
		if _, err := l.repo.WaitCheckRun(t.Context(), fakegithub.Completed(fmt.Sprint("smoke-", i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Wait(t.Context(), func() bool { return len(l.repo.CheckRuns()) == clients*each }); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.repo.WaitCheckRun(ctx, fakegithub.Completed("absent")); err == nil ||
		!strings.Contains(err.Error(), "smoke-0") {
		t.Errorf("waited in vain: %v", err)
	}
	list, _, err := l.client.Checks.ListCheckRunsForRef(t.Context(), "octo-lab", "kernel", "main", nil)
	if err != nil || list.GetTotal() != clients {
		t.Errorf("the latest of each name: %d, %v", list.GetTotal(), err)
	}
}

func TestHourlyBudget(t *testing.T) {
	at := newClock()
	l := newStrictLab(t, fakegithub.Options{HourlyBudget: 2, Now: at.Now})
	token := l.token(t)
	var got []int
	for range 3 {
		status, _ := send(t, l, token, http.MethodGet, "/repos/octo-lab/kernel", "")
		got = append(got, status)
	}
	l.broken.take(t)
	at.advance(time.Hour - time.Second) // the token is good for a moment more
	status, _ := send(t, l, l.freshToken(t, at), http.MethodGet, "/repos/octo-lab/kernel", "")
	if fmt.Sprint(got, status) != "[200 200 403] 403" {
		t.Errorf("answered %v, then %d", got, status)
	}
	l.broken.take(t)
	at.advance(time.Second)
	if status, _ := send(
		t, l, l.freshToken(t, at), http.MethodGet, "/repos/octo-lab/kernel", "",
	); status != http.StatusOK {
		t.Errorf("after an hour: %d", status)
	}
}
